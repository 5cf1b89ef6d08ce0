"""What the tape itself costs: to record, to play again, to keep. No peer has these."""

import gc
import math
import statistics
import time
import tracemalloc

import problems
import tinygrad_rnn as tg

ROUNDS = 11
LENGTHS = (2000, 20000)


def cpu(function):
    began = time.process_time()
    kept = function()
    return time.process_time() - began, kept


def of_length(T):
    """The sizes of `long` (H = 32, B = 1), cut to or drawn for T steps."""
    long = problems.problem("guo", "verylong", "float64")
    return long._replace(T=T, x=long.x[:T], d=long.d[:T])


def unfold(p):
    return tg.unfold(tg.cells.Guo(f="tanh", g="softmax"), p.params, p.x, p.d)


def read_all(net):
    net.backward()
    return [net.grads[name] for name in net.grads]


def eager(p):
    net = unfold(p)
    read_all(net)
    return net


def replay(net, p):
    net.replay(p.x, p.d)
    read_all(net)


def pays_after(p, rounds):
    """After how many steps recording once and replaying has cost no more than recording every step."""

    def to_plan():
        net = eager(p)
        return cpu(lambda: replay(net, p))[0]

    net = eager(p)
    replay(net, p)
    every = statistics.median(cpu(lambda: eager(p))[0] for _ in range(rounds))
    first = statistics.median(to_plan() for _ in range(rounds))
    later = statistics.median(cpu(lambda: replay(net, p))[0] for _ in range(rounds))
    # One eager step, a first replay that makes the plan, then replays: cheaper than eager steps from here on.
    return 2 + max(0, math.ceil((first - every) / (every - later)))


def measure(rounds=ROUNDS):
    """Rows (what, value, unit)."""
    p = problems.problem("guo", "minchar", "float64")
    unfold(p)
    per_copy = 1e6 / p.T * statistics.median(cpu(lambda: unfold(p))[0] for _ in range(rounds))
    with_values = 1e6 / p.T * statistics.median(cpu(lambda: unfold(p).loss)[0] for _ in range(rounds))
    planned = 1e6 / p.T * statistics.median(cpu(lambda: unfold(p).replay())[0] for _ in range(rounds))
    table = [
        ("tg.unfold, minchar, per time copy", per_copy, "us"),
        ("tg.unfold and every value, node by node", with_values, "us"),
        ("tg.unfold, its plan and the first replay", planned, "us"),
        ("training steps until the plan has paid for itself, minchar", pays_after(p, rounds), "steps"),
    ]

    seconds = {}
    for T in LENGTHS:
        p = of_length(T)
        net = eager(p)
        replay(net, p)
        # One after the other, and the old network let go before: two at a time would crowd the cache
        seconds["replay", T] = [cpu(lambda net=net, p=p: replay(net, p))[0] / T for _ in range(rounds)]
        del net
        gc.collect()
        seconds["eager", T] = [cpu(lambda p=p: eager(p))[0] / T for _ in range(rounds)]
        gc.collect()
    short, long = LENGTHS
    for how, says in (("eager", "unfold, backward, gradients"), ("replay", "replay, backward, gradients")):
        at = {T: 1e6 * statistics.median(seconds[how, T]) for T in LENGTHS}
        table += [(f"{says}, T={T}, per time step", at[T], "us") for T in LENGTHS]
        table.append((f"{says}, T={long} against T={short}", at[long] / at[short], "times"))

    p = of_length(short)
    gc.collect()
    tracemalloc.start()
    net = eager(p)
    kept, peak = (size / short for size in tracemalloc.get_traced_memory())
    tracemalloc.stop()
    del net
    return [
        *table,
        (f"memory at the peak of the first step, T={short}, H={p.H}, B=1, per time copy", peak / 1024, "KB"),
        ("memory kept after it, per time copy", kept / 1024, "KB"),
    ]
