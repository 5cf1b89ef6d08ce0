"""Truncated backpropagation through time: gradients that leave out what is far in the past.

Every k1 time steps, an error is sent back over at most k2 of them. In terms of the `influence` G[t, tau] of the
copy at tau on the cost at t, each variant is a mask: `truncation_mask` is that mask.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, ShapeError
from ..autodiff.asked import asked
from ..unfold import Unfolded, unfold
from ..unfold.given import check_reduction, initial_state
from ..unfold.losses import known_loss
from ..unfold.recipe import Cell, Loss
from ..unfold.structure import flatten, rebuild
from .backward import Backward, Errors, gradients_of
from .stream import Window, stream
from .windows import Windows

Array = NDArray[Any]
Pairs = Sequence[tuple[Array, Array]]  # an input and a target for each step

# What `truncated_gradient` works in, for as long as the network is there.
_MEMORY: WeakKeyDictionary[Unfolded, dict[Any, Array]] = WeakKeyDictionary()
STATES = {
    "stored": "as they were computed when the stream passed them, with the weights of that time",
    "recomputed": "computed again in each window, from the state before it, with the weights as they are now",
}
LOOPS = {
    "target": "the output at the window's end is compared with the target of that very step",
    "range": "it is compared with the target one step later, and the loop ends one window earlier",
    "published": "as published: the target one step later, and a loop that in the end reads one target too many",
}


@asked
def truncated_gradient(
    net: Unfolded, *, k1: int, k2: int, losses: str = "new", tail: str = "flush"
) -> dict[str, Array]:
    """The gradient of TBPTT(k1, k2) over a whole sequence, with weights that stay as they are: the windows' sum.

    Parameters
    ----------
    net : Unfolded
        The network, its forward pass done; neither it nor its gradients are changed.
    k1, k2, losses, tail
        As in `truncated`.

    Returns
    -------
    dict of str to ndarray
        dC / d weight by name, as much of it as the windows see. Costs weigh what they do in the network: 1, or
        1/T if it takes their mean.

    Raises
    ------
    TypeError, ValueError
        As `truncated`; and if the network's steps are not copies of one step.

    Notes
    -----
    All windows go back in lock step: k2 steps, each for all of them in one array. The errors that meet at one time
    step are added up, and the weights' gradients are read from the sums, once. Errors that meet are not handed on
    as one, for their windows end at different steps: about k2 / k1 times the way back of one whole backward pass.
    """
    windows = Windows(k1, k2, losses, tail).warn()
    windows.fit(net.T)
    folded, values = net.stacked()
    errors = Errors(Backward(folded), values, folded.shares, memory=_MEMORY.setdefault(net, {}))
    for ends, new in windows.over(net.T):
        if ends:
            errors.send(ends, windows.depth(new), windows.counted(new))
    return gradients_of(net, errors)


@asked
def cut(net: Unfolded, *at: int) -> None:
    """Cut a network that was recorded: no error passes from these time steps to the steps before them.

    The forward pass stays as it is. The gradients of the next backward pass are those of the truncation: a cost at t
    reaches no copy before the last cut up to t. ``net.cuts`` names the cuts; ``cut(net)``, without a time, mends
    them all. `influence`, `truncated_gradient`, `artbp_gradient` and `flow_graph` are of the whole network, as if
    it were not cut.

    Parameters
    ----------
    net : Unfolded
        The network.
    *at : int
        The time steps; 1 cuts off the initial state.

    Raises
    ------
    ValueError
        If there is no such time step.
    """
    net.cuts = at


@dataclass
class _Unfolding:
    """What windows are unfolded from, and the network of the last window: those of one shape replay one plan."""

    cell: Cell
    params: Mapping[str, Any]
    loss: str | Loss
    reduction: str
    s0: Any
    net: Unfolded | None = None
    shape: tuple[int, int] = (0, 0)
    weights: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # the shapes they began with

    def initial(self, x: Array) -> Any:
        """The initial state, as arrays."""
        return initial_state(self.cell, self.params, self.s0, len(x))

    def over(self, steps: Pairs, counted: int, s0: Any) -> Unfolded:
        """A network over so many steps, of which the newest ones' costs count; its forward pass is not done yet."""
        self._same_weights()
        if self.net is None or self.shape != (len(steps), counted):
            x, d = _sequences(steps)
            losses = range(len(steps) - counted + 1, len(steps) + 1)
            self.shape = len(steps), counted
            self.net = unfold(
                self.cell, self.params, x, d, loss=self.loss, reduction=self.reduction, s0=s0, losses=losses
            )
        return self.net

    def _same_weights(self) -> None:
        now = {name: np.shape(w) for name, w in self.params.items()}
        self.weights = self.weights or now
        for name in {**now, **self.weights}:
            if now.get(name) != self.weights.get(name):
                became = f"has become {now[name]}" if name in now else "is gone"
                was = f"was {self.weights[name]}" if name in self.weights else "was not there"
                raise ShapeError(
                    f"between two windows the parameter {name} {became}, and it {was}: a stream is read with weights "
                    "of the same names and shapes"
                )

    def advance(self, state: Any, steps: Pairs) -> Any:
        """The state after these steps, with the parameters as they are now."""
        self._same_weights()
        for x, _ in steps:
            state = self.cell(self.params, x, state)[0]
        return state


def _sequences(steps: Pairs) -> tuple[Array, Array]:
    return np.stack([x for x, _ in steps]), np.stack([d for _, d in steps])


def _values(state: Any) -> Any:
    """A state's values, as arrays of their own."""
    return rebuild(state, [np.array(s.value if isinstance(s, Node) else s) for s in flatten(state)])


def _window(net: Unfolded, first: int) -> Window:
    net.backward()
    return Window(first, first + net.T - 1, net.loss, dict(net.grads), net.last_state)


@asked
def truncated(
    cell: Cell,
    params: Mapping[str, Any],
    x: Iterable[Any],
    d: Iterable[Any],
    *,
    k1: int,
    k2: int,
    losses: str = "new",
    tail: str = "flush",
    states: str = "stored",
    loss: str | Loss = "cross_entropy",
    reduction: str = "sum",
    s0: Any = None,
) -> Iterator[Window]:
    """Truncated backpropagation through time over a stream, TBPTT(k1, k2): every k1 steps, back over at most k2.

    Between windows the parameters may be changed, in place or entry by entry; the windows that follow read them
    as they are then. They are never changed here. Memory is that of one window, however long the stream.

    Parameters
    ----------
    cell, params, loss, s0
        As in `unfold`; `s0` is an array, or a tuple of arrays, and no name of a parameter.
    x, d : array_like (T, B, l) and (T, B, o), or iterables of (B, l) and of (B, o)
        The inputs and the targets; iterables may go on without end.
    k1 : int
        How many steps there are from one window's end to the next one's.
    k2 : int
        Over how many steps a window reaches; the first windows reach back to the beginning. Where k2 < k1, the oldest
        k1 - k2 losses of each window get no gradient at all: there is a warning.
    losses : {"new", "window", "last"}
        Whose costs a window counts: those of the steps since the last window, so that each is counted once; those
        of all its steps, counted again where windows overlap; or that of its last step alone.
    tail : {"flush", "short", "drop"}
        What becomes of the steps after the last window: they are a window too and reach back over k2 steps as all do;
        they are one that begins where a whole one would have begun; or they get no gradient.
    states : {"stored", "recomputed"}
        Which values the error goes back through: as they were computed when the stream passed them, with the weights
        of that time; or computed again in each window, with the weights as they are now, from the state
        before the window, which is taken from the window before as that one had it. The error
        goes back through the weights as they are now either way, and with weights that stay as they are there is
        no difference.
    reduction : {"sum", "mean"}
        Whether a window's cost is the sum or the mean of those it counts.

    Yields
    ------
    Window

    Raises
    ------
    TypeError, ValueError
        If k1 or k2 is no integer from 1 up, an option has no such value, the stream is empty, a window is longer
        than the stream, or `s0` names a parameter: at once. With a `tail` of ``"drop"``, an iterable that ends
        before the first window is at its end.
    ShapeError
        If arrays do not fit together, when they are read, or parameters change their names or shapes on the way.

    Notes
    -----
    Source: Williams and Peng (1990), whose BPTT(h; h') is this with k1 = h' and k2 = h; Sutskever (2013),
    section 2.8.6, for the names k1 and k2.
    """
    windows = Windows(k1, k2, losses, tail).warn()
    _one_of("states", states, STATES)
    return _truncated(
        _checked(cell, params, x, loss, reduction, s0, windows), windows, stream(x, d), states == "stored"
    )


def _truncated(
    unfolding: _Unfolding, windows: Windows, steps: Iterable[tuple[int, Array, Array]], stored: bool
) -> Iterator[Window]:
    first, past = 1, list[tuple[Array, Array]]()  # the steps of the last window, and when they began
    for last, block in _blocks(steps, windows):
        depth = windows.depth(len(block))
        known = [*past, *block]
        inside = known[-depth:]
        begin = last - len(inside) + 1
        before = unfolding.net
        if before is None:
            start = unfolding.initial(block[0][0])
        elif begin - first <= before.T:
            start = _values(before.states[begin - first])
        else:
            start = _values(before.states[-1])
        skipped = known[len(past) : len(known) - len(inside)]
        if skipped:
            start = unfolding.advance(start, skipped)
        net = unfolding.over(inside, min(windows.counted(len(block)), len(inside)), start)
        if stored and before is not None and not skipped:
            if before.schedule.startswith("no plan"):
                raise ValueError(f"states='stored' needs a plan: {before.schedule}. Choose states='recomputed'")
            net.follow(before, *_sequences(block))
        else:
            net.replay(*_sequences(inside), s0=start)
        yield _window(net, begin)
        first, past = begin, known[-windows.k2 :]


def _blocks(steps: Iterable[tuple[int, Array, Array]], windows: Windows) -> Iterator[tuple[int, Pairs]]:
    """The new steps of each window, and the time of the last one."""
    block: list[tuple[Array, Array]] = []
    t = 0
    for t, x, d in steps:
        block.append((x, d))
        if len(block) == windows.k1:
            yield t, block
            block = []
    if block and windows.tail != "drop":
        yield t, block
    elif t < windows.k1:
        raise ValueError(
            f"the stream has ended after {t} steps, before the first window of {windows.k1} was at its end, and "
            "tail='drop' gives the rest no gradient: choose a smaller window, or tail='flush'"
        )


@asked
def williams_peng(
    cell: Cell,
    params: Mapping[str, Any],
    x: Iterable[Any],
    d: Iterable[Any],
    *,
    h: int,
    h_prime: int = 1,
    tail: str = "flush",
    loss: str | Loss = "cross_entropy",
    reduction: str = "sum",
    s0: Any = None,
) -> Iterator[Window]:
    """BPTT(h; h') of Williams and Peng: every h' steps, the errors of these steps go back over at most h.

    It is `truncated` with k1 = h' and k2 = h. BPTT(h) is BPTT(h; 1), and BPTT(h; h) sees each step once. In between,
    BPTT(2h'; h') takes twice the work of BPTT(h'; h'), and no error goes back over less than h' + 1 steps.

    Parameters
    ----------
    cell, params, x, d, tail, loss, reduction, s0
        As in `truncated`.
    h : int
        Over how many steps an error goes back at most.
    h_prime : int
        How many steps there are from one backward pass to the next.

    Yields
    ------
    Window

    Raises
    ------
    TypeError, ValueError, ShapeError
        As `truncated`.

    Notes
    -----
    Source: Williams and Peng (1990), "An efficient gradient-based algorithm for on-line training of recurrent
    network trajectories", Neural Computation 2.
    """
    windows = Windows(h_prime, h, tail=tail, names=("h_prime", "h")).warn()
    unfolding = _checked(cell, params, x, loss, reduction, s0, windows)
    return _truncated(unfolding, windows, stream(x, d), stored=True)


@asked
def epochwise(
    cell: Cell,
    params: Mapping[str, Any],
    x: Iterable[Any],
    d: Iterable[Any],
    *,
    h: int,
    tail: str = "short",
    loss: str | Loss = "cross_entropy",
    reduction: str = "sum",
    s0: Any = None,
) -> Iterator[Window]:
    """Epochs of h steps, each gone back through once it is over: BPTT(h; h), `truncated` with k1 = k2 = h.

    The state is handed on from epoch to epoch, and no error goes back over that border: what is also called stateful
    training in chunks. For a network that is reset before each epoch, see `naive_splitting`.

    Parameters
    ----------
    cell, params, x, d, loss, reduction, s0
        As in `truncated`.
    h : int
        How many steps an epoch has; the length of the stream for full backpropagation through time.
    tail : {"short", "flush", "drop"}
        As in `truncated`; ``"short"`` makes an epoch of the rest.

    Yields
    ------
    Window

    Raises
    ------
    TypeError, ValueError, ShapeError
        As `truncated`.
    """
    windows = Windows(h, h, tail=tail, names=("h", "h"))
    unfolding = _checked(cell, params, x, loss, reduction, s0, windows)
    return _truncated(unfolding, windows, stream(x, d), stored=True)


@asked
def naive_splitting(
    cell: Cell,
    params: Mapping[str, Any],
    x: Iterable[Any],
    d: Iterable[Any],
    *,
    k: int,
    tail: str = "short",
    loss: str | Loss = "cross_entropy",
    reduction: str = "sum",
    s0: Any = None,
) -> Iterator[Window]:
    """The stream cut into pieces of k steps that know nothing of each other: each starts from the initial state.

    Unlike the windows of `truncated`, a piece does not even see the state that the steps before it have left, so that
    the forward pass is another one, and nothing further back than k steps can be learned at all.

    Parameters
    ----------
    cell, params, x, d, loss, reduction, s0
        As in `truncated`.
    k : int
        How many steps a piece has.
    tail : {"short", "drop"}
        Whether the rest is a shorter piece or gets no gradient.

    Yields
    ------
    Window

    Raises
    ------
    TypeError, ValueError
        As `truncated`.

    Notes
    -----
    Source: Sutskever (2013), "Training recurrent neural networks", section 2.8.6, where it is called naive.
    """
    if tail == "flush":
        raise ValueError("tail='flush': a piece does not reach back over another one; it is 'short' or 'drop'")
    windows = Windows(k, k, tail=tail, names=("k", "k"))
    unfolding = _checked(cell, params, x, loss, reduction, s0, windows)

    def pieces() -> Iterator[Window]:
        for last, block in _blocks(stream(x, d), windows):
            net = unfolding.over(block, len(block), s0)
            net.replay(*_sequences(block))
            yield _window(net, last - len(block) + 1)

    return pieces()


@asked
def wikipedia(
    cell: Cell,
    params: Mapping[str, Any],
    x: Iterable[Any],
    d: Iterable[Any],
    *,
    k: int,
    version: str = "target",
    loss: str | Loss = "cross_entropy",
    s0: Any = None,
) -> Iterator[Window]:
    """The loop that Wikipedia gives for truncated backpropagation through time, mended or as published.

    A window of k steps slides along by one step, only its last output is compared with a target, and the error goes
    back through all k copies: it is `truncated` with k1 = 1, k2 = k and losses ``"last"``, without the windows that are
    shorter at the beginning. The state before each window, the context, moves on by one step with the
    parameters as they are after the window's update, and the window is computed again from there.

    Published is a loop over t = 0, ..., n - k in which the output that has read x[t], ..., x[t + k - 1] is compared
    with y[t + k]. For the last t this is y[n], and there are y[0], ..., y[n - 1] only. One of two things must give.

    Parameters
    ----------
    cell, params, x, d, loss, s0
        As in `truncated`.
    k : int
        How many steps a window has.
    version : {"target", "range", "published"}
        Whether the output is compared with y[t + k - 1], the target of its own step, as everywhere in this package;
        or with y[t + k] and the loop ends at n - k - 1; or as published, which ends in an error.

    Yields
    ------
    Window

    Raises
    ------
    IndexError
        At the end of the stream, if the version is the published one and there was a window.
    TypeError, ValueError
        As `truncated`.

    Notes
    -----
    Source: Wikipedia, "Backpropagation through time", section "Pseudocode".
    """
    windows = Windows(1, k, names=("k", "k"))
    _one_of("version", version, LOOPS)
    unfolding = _checked(cell, params, x, loss, "sum", s0, windows)
    ahead = version != "target"

    def slide() -> Iterator[Window]:
        inputs: deque[Array] = deque(maxlen=k + ahead)
        context: Any = None
        t = 0
        for t, x_t, d_t in stream(x, d):
            inputs.append(x_t)
            if len(inputs) < k + ahead:
                continue
            steps = [(x_now, d_t) for x_now in list(inputs)[:k]]  # but for the last one, targets do not count
            context = unfolding.initial(steps[0][0]) if context is None else context
            net = unfolding.over(steps, 1, context)
            net.replay(*_sequences(steps), s0=context)
            yield _window(net, t - ahead - k + 1)
            context = unfolding.advance(context, steps[:1])
        if version == "published" and t >= k:
            raise IndexError(
                f"Wikipedia's loop runs to t = n - k = {t - k} and compares the output there with y[t + k] = y[{t}]; "
                f"the targets are y[0], ..., y[{t - 1}]: that is one too many. Choose version='target', which "
                "compares with y[t + k - 1], or version='range', which ends one window earlier."
            )
        if t < k + ahead:
            raise ValueError(f"the stream has ended after {t} steps, and the first window needs {k + ahead}")

    return slide()


def _one_of(name: str, given: Any, table: Mapping[str, str]) -> None:
    if not isinstance(given, str) or given not in table:
        listed = "; ".join(f"{key!r}: {what}" for key, what in table.items())
        raise ValueError(f"{name}={given!r}: it is one of {listed}")


def _checked(
    cell: Cell, params: Mapping[str, Any], x: Iterable[Any], loss: str | Loss, reduction: str, s0: Any, windows: Windows
) -> _Unfolding:
    """What windows are unfolded from, once all that can be looked at before the stream begins was looked at."""
    known_loss(loss)
    check_reduction(reduction)
    if any(isinstance(part, str) for part in flatten(s0)):
        raise ValueError(
            f"s0={s0!r} names a parameter: only windows that reach back to the beginning could train an initial state. "
            "Pass arrays, or unfold the sequence as a whole"
        )
    if isinstance(x, Sized) and not len(x):
        raise ValueError("the stream is empty: there must be at least one time step")
    if isinstance(x, Sized):
        windows.fit(len(x))
    return _Unfolding(cell, params, loss, reduction, s0)
