"""Which costs count and how much, held against each sample by itself; gradients of the inputs; turned axes."""

import warnings

import numpy as np
import pytest

import tinygrad_rnn as tg

T, LENGTHS = 6, np.array([6, 3, 1])
B = len(LENGTHS)
MASK = np.arange(T)[:, None] < LENGTHS
WEIGHTS = np.random.default_rng(1).random((T, B))
LAST = np.zeros((T, B))
LAST[LENGTHS - 1, range(B)] = 1

CASES = {
    "softmax": (tg.cells.Guo(), "cross_entropy"),
    "sigmoid": (tg.cells.Guo(g="sigmoid"), "cross_entropy"),
    "lstm, squared error": (tg.cells.LSTM(g="identity"), "squared_error"),
    "own loss": (
        tg.cells.Elman(g="identity"),
        lambda y, d, *w: tg.ops.sum(tg.ops.absolute(y - d) * (w[0] if w else 1.0)),
    ),
}
WAYS = {
    "weights": ({"weights": WEIGHTS}, WEIGHTS),
    "last": ({"losses": "last"}, LAST),
    "mean of last": ({"losses": "last", "reduction": "mean"}, LAST),
    "own mean": ({"reduction": "own_mean"}, MASK / LENGTHS),
    "mean with weights": ({"reduction": "mean", "weights": WEIGHTS}, WEIGHTS / T),
    "last with weights": ({"losses": "last", "weights": WEIGHTS}, LAST * WEIGHTS),
    "own mean with weights": ({"reduction": "own_mean", "weights": WEIGHTS}, MASK / LENGTHS * WEIGHTS),
    "some steps, weights of 0": (
        {"losses": [2, 6], "weights": WEIGHTS},
        WEIGHTS * (np.isin(np.arange(T), [1, 5])[:, None]),
    ),
}


def problem(case):
    cell, loss = CASES[case]
    rng = np.random.default_rng(0)
    x, d = rng.normal(size=(T, B, 4)), np.eye(2)[rng.integers(0, 2, (T, B))]
    return cell, cell.init(4, 5, 2, rng=0), x, d, loss


def alone(cell, params, x, d, loss, weights, lengths=LENGTHS):
    """Cost and gradients, sample by sample and cost by cost."""
    total, grads = 0.0, {name: np.zeros_like(w) for name, w in params.items()}
    for p, length in enumerate(lengths):
        net = tg.unfold(cell, params, x[:length, p : p + 1], d[:length, p : p + 1], loss=loss)
        for t in range(1, length + 1):
            total += weights[t - 1, p] * float(net.losses[t - 1].value)
            net.backward(of=t)
            for name, g in net.grads.items():
                grads[name] += weights[t - 1, p] * g
    return total, grads


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES)
def test_each_sample_pays_what_it_is_to_pay(case, way):
    options, weights = WAYS[way]
    given = problem(case)
    *data, loss = given
    net = tg.unfold(*data, loss=loss, mask=MASK, **options)
    total, grads = alone(*given, weights)
    for played in ("by the tape", "by a program"):
        net.backward()
        assert net.loss == pytest.approx(total, rel=1e-12), played
        for name, g in grads.items():
            np.testing.assert_allclose(net.grads[name], g, rtol=1e-9, atol=1e-13)
        net.replay()
        assert not net.obstacle
    assert net.check().ok


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES)
def test_a_replay_with_another_mask_and_other_weights(case, way):
    cell, params, x, d, loss = problem(case)
    options, _ = WAYS[way]
    net = tg.unfold(cell, params, x, d, loss=loss, mask=MASK, **options)
    if "losses" in options and options["losses"] != "last":
        mask = MASK
    else:
        mask = np.arange(T)[:, None] < np.array([2, 6, 5])
    new = {"weights": WEIGHTS[::-1]} if "weights" in options else {}
    fresh = tg.unfold(cell, params, x[::-1], d, loss=loss, mask=mask, **options | new)
    assert net.replay(x[::-1], d, mask=mask, **new) == pytest.approx(fresh.loss, rel=1e-12)
    net.backward()
    fresh.backward()
    for name, g in fresh.grads.items():
        np.testing.assert_allclose(net.grads[name], g, rtol=1e-9, atol=1e-13)
    if new:
        assert net.replay(weights=WEIGHTS) != pytest.approx(fresh.loss)
        assert net.replay(**new) == pytest.approx(fresh.loss, rel=1e-12)


def test_without_a_mask_the_last_step_is_the_same_for_all():
    *data, _ = problem("softmax")
    last, named = tg.unfold(*data, losses="last"), tg.unfold(*data, losses=[T])
    assert last.loss == named.loss
    assert last.counted == (T,)
    assert tg.unfold(*data, reduction="own_mean").loss == tg.unfold(*data, reduction="mean").loss


def test_samples_that_would_pay_nothing_are_named():
    *data, _ = problem("softmax")
    with pytest.raises(ValueError, match=r'samples \[1, 2\].*none of these steps.*losses="last"'):
        tg.unfold(*data, mask=MASK, losses=[T])
    net = tg.unfold(*data, mask=np.ones((T, B)), losses=[T])
    with pytest.raises(ValueError, match=r"samples \[1, 2\]"):
        net.replay(data[2], data[3], mask=MASK)
    # On purpose it can be had, and a sample that is not there at all asks for nothing.
    assert tg.unfold(*data, mask=MASK, losses=[T], weights=np.ones((T, B))).loss == tg.unfold(
        data[0], data[1], data[2][:, :1], data[3][:, :1], losses=[T]
    ).loss  # fmt: skip
    assert tg.unfold(*data, mask=MASK * [1, 0, 0], losses=[T]).loss > 0


@pytest.mark.parametrize(
    ("weights", "error", "says"),
    [
        (np.ones(T), tg.ShapeError, r"weights is \(6,\).*must be \(6, 3\)"),
        (np.ones((B, T)), tg.ShapeError, r"weights is \(3, 6\)"),
        (-WEIGHTS, ValueError, "negative"),
        (WEIGHTS * np.nan, ValueError, "not finite"),
        (WEIGHTS + 0j, ValueError, "no real number"),
        ("last", ValueError, "weights"),
    ],
)
def test_weights_that_are_none(weights, error, says):
    *data, _ = problem("softmax")
    with pytest.raises((error, TypeError), match=says):
        tg.unfold(*data, weights=weights)
    net = tg.unfold(*data, weights=WEIGHTS)
    before = net.loss
    with pytest.raises((error, TypeError), match=says):
        net.replay(weights=weights)
    assert net.loss == before


def test_weights_and_masks_belong_together_at_a_replay():
    *data, _ = problem("softmax")
    with pytest.raises(ValueError, match="unfolded without weights"):
        tg.unfold(*data).replay(weights=WEIGHTS)
    with pytest.raises(ValueError, match="a new mask belongs to new weights"):
        tg.unfold(*data, mask=MASK, weights=WEIGHTS).replay(data[2], data[3], mask=MASK)


@pytest.mark.parametrize("losses", ["first", "", "LAST"])
def test_other_words_than_last(losses):
    *data, _ = problem("softmax")
    with pytest.raises(ValueError, match='is "last"'):
        tg.unfold(*data, losses=losses)


def test_a_network_passes_them_on():
    *data, _ = problem("softmax")
    network = tg.Network(data[0], data[1], reduction="own_mean", batch_first=True, input_grads=True)
    turned = [a.swapaxes(0, 1) for a in data[2:]]
    for weights in (WEIGHTS, WEIGHTS[::-1]):
        net = network(*turned, mask=MASK.T, weights=weights.T)
        assert net.loss == pytest.approx(
            tg.unfold(*data, mask=MASK, weights=weights, reduction="own_mean").loss, rel=1e-12
        )
    assert network(*turned, losses="last").loss == pytest.approx(tg.unfold(*data, losses="last").loss, rel=1e-12)
    assert len(network._unfolded) == 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("ahead", [-30.0, 0.0, 8.0, 12.0, 16.0, 30.0])
def test_weights_of_one_cost_no_digits(dtype, ahead):
    cell = tg.cells.Guo(g="sigmoid")
    params = {name: w.astype(dtype) for name, w in cell.init(2, 3, 2, rng=0).items()}
    params["b_k"][:] = ahead
    x, d = np.zeros((3, 1, 2), dtype), np.ones((3, 1, 2), dtype)
    plain = tg.unfold(cell, params, x, d)
    for options in ({"weights": np.ones((3, 1))}, {"mask": np.ones((3, 1)), "reduction": "own_mean"}):
        net = tg.unfold(cell, params, x, d, **options)
        share = 1 / 3 if "mask" in options else 1
        assert net.loss == pytest.approx(share * plain.loss, rel=16 * float(np.finfo(dtype).eps))


def test_weights_too_large_for_single_precision():
    cell = tg.cells.Guo()
    params = {name: w.astype(np.float32) for name, w in cell.init(2, 3, 2, rng=0).items()}
    x, d = np.zeros((3, 1, 2), np.float32), np.ones((3, 1, 2), np.float32)
    with pytest.raises(ValueError, match="not finite in float32"):
        tg.unfold(cell, params, x, d, weights=np.full((3, 1), 1e300))


def test_a_loss_that_takes_no_weight_is_told():
    *data, _ = problem("softmax")
    for options in ({"weights": WEIGHTS}, {"mask": MASK}):
        with pytest.raises(TypeError, match=r"called as loss\(y, d, weight\)"):
            tg.unfold(*data, loss=lambda y, d: tg.ops.sum(y - d), **options)


# ---- gradients of the inputs


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_gradients_of_the_inputs_are_slopes(case, masked):
    cell, params, x, d, loss = problem(case)
    net = tg.unfold(cell, params, x, d, loss=loss, mask=MASK if masked else None, input_grads=True)
    net.backward()
    by_tape = net.input_grads
    assert by_tape.shape == x.shape
    for t, p, i in [(0, 0, 0), (2, 1, 3), (5, 0, 2), (3, 1, 1)]:
        costs = []
        for h in (1e-6, -1e-6):
            moved = x.copy()
            moved[t, p, i] += h
            costs.append(net.replay(moved))
        assert by_tape[t, p, i] == pytest.approx((costs[0] - costs[1]) / 2e-6, abs=1e-8)
    net.replay(x)
    net.backward()
    np.testing.assert_allclose(net.input_grads, by_tape, rtol=1e-9, atol=1e-14)
    if masked:
        assert not by_tape[~MASK].any()
    assert net.check().ok


def test_inputs_have_no_gradients_unless_asked_for():
    *data, _ = problem("softmax")
    net = tg.unfold(*data)
    net.backward()
    with pytest.raises(tg.TapeError, match="input_grads=True"):
        _ = net.input_grads
    with pytest.raises(tg.TapeError, match="no gradients yet"):
        _ = tg.unfold(*data, input_grads=True).input_grads


# ---- samples first


def test_samples_first_is_time_first_turned():
    *data, _ = problem("softmax")
    turned = [a.swapaxes(0, 1) for a in data[2:]]
    net = tg.unfold(*data[:2], *turned, mask=MASK.T, batch_first=True, input_grads=True)
    like = tg.unfold(*data, mask=MASK, input_grads=True)
    net.backward()
    like.backward()
    assert net.loss == like.loss
    np.testing.assert_array_equal(net.input_grads, like.input_grads.swapaxes(0, 1))
    assert net.replay(turned[0][:, ::-1]) == like.replay(data[2][::-1])
    open_ended, like = tg.unfold(*data[:2], *turned, batch_first=True), tg.unfold(*data)
    np.testing.assert_array_equal(open_ended.carry(turned[0][:, ::-1]), like.carry(data[2][::-1]))
    open_ended.replay()
    like.replay()
    assert open_ended.follow(open_ended, *(a[:, :2] for a in turned)) == like.follow(like, *(a[:2] for a in data[2:]))


def test_axes_that_look_turned():
    cell, params, x, d, _ = problem("softmax")
    with pytest.warns(UserWarning, match=r"1 time step of 6 samples.*batch_first=True") as caught:
        net = tg.unfold(cell, params, x[:, :1].swapaxes(0, 1), d[:, :1].swapaxes(0, 1))
    assert caught[0].filename == __file__
    assert net.T == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tg.unfold(cell, params, x[:1], d[:1], batch_first=False).T == 1
        assert tg.unfold(cell, params, x[:, :1].swapaxes(0, 1), d[:, :1].swapaxes(0, 1), batch_first=True).T == T
        assert tg.unfold(cell, params, x[:1, :1], d[:1, :1]).T == 1


def test_samples_first_of_what_has_too_few_axes():
    cell, params, x, d, _ = problem("softmax")
    with pytest.raises(tg.ShapeError, match=r"x is \(6,\).*sample and time"):
        tg.unfold(cell, params, x[:, 0, 0], d, batch_first=True)
