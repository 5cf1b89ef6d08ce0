"""What one training step costs: forward and backward pass of the tape against BPTT written by hand.

CPU time, the two in turn, the median of the paired ratios. It prints a table and asserts only that both
found the same gradient: a time is no property of the code.
"""

import time

import numpy as np

import canonical
import tinygrad_rnn as tg

SIZES = {"tiny": (5, 1, 3, 4, 2), "minchar": (25, 1, 65, 100, 65), "small": (50, 16, 32, 64, 32)}
ROUNDS = 15


def by_hand(p):
    """BPTT as it is usually written: a loop forwards, a loop backwards, gradients added up on the way."""
    V, U, b_j, W, b_k = (p.params[name] for name in ("V", "U", "b_j", "W", "b_k"))
    states, outputs = [p.s0], []
    for x in p.x:
        states.append(np.tanh(x @ V.T + states[-1] @ U.T + b_j))
        net_k = states[-1] @ W.T + b_k
        power = np.exp(net_k - net_k.max(axis=1, keepdims=True))
        outputs.append(power / power.sum(axis=1, keepdims=True))
    grads = {name: np.zeros_like(w) for name, w in p.params.items()}
    from_later = np.zeros_like(p.s0)
    for t in range(len(p.x), 0, -1):
        to_k = outputs[t - 1] - p.d[t - 1]
        grads["W"] += to_k.T @ states[t]
        grads["b_k"] += to_k.sum(axis=0)
        to_j = (to_k @ W + from_later) * (1 - states[t] ** 2)
        grads["V"] += to_j.T @ p.x[t - 1]
        grads["U"] += to_j.T @ states[t - 1]
        grads["b_j"] += to_j.sum(axis=0)
        from_later = to_j @ U
    return grads


def cpu(function):
    began = time.process_time()
    function()
    return time.process_time() - began


def test_a_training_step_against_bptt_by_hand(capsys):
    lines = ["", f"{'size':>8} {'by hand, ms':>12} {'tape / by hand':>15}"]
    for name, sizes in SIZES.items():
        p = canonical.problem(sizes=sizes)
        net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)

        def step(net=net):
            net.replay()
            net.backward()
            return {weight: net.grads[weight] for weight in net.weights}

        for weight, gradient in by_hand(p).items():
            np.testing.assert_allclose(step()[weight], gradient, rtol=1e-9, atol=1e-10)
        pairs = [(cpu(lambda p=p: by_hand(p)), cpu(step)) for _ in range(ROUNDS)]
        ratio = np.median([ours / theirs for theirs, ours in pairs])
        lines.append(f"{name:>8} {1e3 * np.median([theirs for theirs, _ in pairs]):>12.2f} {ratio:>15.2f}")
    with capsys.disabled():
        print("\n".join(lines))
