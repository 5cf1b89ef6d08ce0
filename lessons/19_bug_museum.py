# %% [markdown]
# # The bug museum: wrong gradients
#
# * **Goal**: build a test that can fail, and read off the influence matrix where a program is wrong
# * **Needs**: lessons 6 and 10; some Python
# * **Words**: gradient check, bug, debugging
#
# Backpropagation through time is ten lines of code, and people get them wrong again and again. The mistakes are old
# friends: they stand in published code, in textbooks and in frameworks, and they are always the same ones. The nasty
# thing about them is that a network with a wrong gradient often still learns, and so nobody looks.
#
# This museum shows fifteen of them. Each can be switched on, alone, and you will see what it leaves behind: its
# **signature**. And we shall ask the question that every one of their authors should have asked: would a test have seen
# it?
#
# ## The picture
#
# What the right program computes. In each copy of a weight stands the length of its share, in red, and the shares of
# `U` are what most of the mistakes are about. (Four steps: move the picture sideways.)

# %%
import numpy as np

import tinygrad_rnn as tg

T, n, l, m, o = 4, 2, 3, 5, 2


def problem(T=T, m=m, seed=19, scale=1.0):
    """A network, its data and its initial state."""
    rng = np.random.default_rng(seed)
    shapes = {"V": (m, l), "U": (m, m), "W": (o, m), "b_j": (m,), "b_k": (o,)}
    params = {name: scale * rng.normal(size=shape) for name, shape in shapes.items()}
    x, s0 = rng.normal(size=(T, n, l)), rng.normal(size=(n, m))
    params = {
        name: params[name] for name in ("V", "U", "b_j", "W", "b_k")
    }  # as other lessons have them
    d = rng.dirichlet(np.ones(o), size=(T, n))  # desired values that add up to one
    return params, x, d, s0


params, x, d, s0 = problem()
net = tg.unfold(tg.cells.Guo(f="tanh", g="softmax"), params, x, d, s0=s0)
net.backward()
tg.draw(net, overlay="cotangents")

# %% [markdown]
# ## The exhibits
#
# The function `shares` below is the loop at the end of lesson 6. It goes back from the last step to the first and
# writes down, for `V`, `U` and `W`, the share of each copy. (The biases would show nothing new.) A copy that gets
# nothing has a share of zeros.
#
# It is longer than in lesson 6, because of its fifteen `if bug == ...`. Each of them spoils one thing. Read it first
# without them: what is left is the right program. Then leave it. Every mistake has a name, will be met again below, and
# its `if` can be looked up there.
#
# One more word, for later: `only=3` starts from the cost $C(3)$ alone, as `net.backward(of=3)` does.

# %%
RECURRENT = "recurrent term left out"
OUTPUT = "output term left out"
STALE = "error handed on one step only"
OVERWRITTEN = "= instead of +="
NEWEST = "the newest copy only"
MEAN = "mean over the copies"
LATER_SLOPE = "f' of the step after"
NO_SLOPE = "f' left out"
SLOPE_AT_S = "f' at s instead of net"
UNTURNED = "U.T instead of U"
CLIPPED = "error clipped on its way"
TURNED = "outer product transposed"
FORGOTTEN = "s(0) taken as zero"
SAME_STATE = "s(t) instead of s(t-1)"
SIGN = "the sign"


def shares(bug, params, x, d, s0, only=None, f="tanh"):
    """dC/dV(t), dC/dU(t) and dC/dW(t) for every copy, with one mistake switched on."""
    U, W, T = params["U"], params["W"], len(x)
    played = tg.guo.forward(params, x, s0, f=f)
    s = played.s
    found = {name: np.zeros((T, *params[name].shape)) for name in "VUW"}
    later = np.zeros_like(s0)
    for t in range(T, 0, -1):
        delta_k = (d[t - 1] - played.y[t - 1]) * (only in (None, t))
        from_output = delta_k @ W
        from_later = later @ (U.T if bug == UNTURNED else U)
        if bug == RECURRENT:
            from_later = np.zeros_like(from_later)
        if bug == OUTPUT and t < T:
            from_output = np.zeros_like(from_output)

        slope = tg.guo.derivative(f, played.net_j[t - 1])
        if bug == LATER_SLOPE:
            slope = tg.guo.derivative(f, played.net_j[min(t, T - 1)])
        if bug == NO_SLOPE:
            slope = np.ones_like(slope)
        if bug == SLOPE_AT_S:
            slope = tg.guo.derivative(f, s[t])

        delta_j = (from_output + from_later) * slope
        if bug == CLIPPED and t < T:
            delta_j = np.clip(delta_j, -0.2, 0.2)
        later = from_output * slope if bug == STALE else delta_j

        before = s[t] if bug == SAME_STATE else s[t - 1]
        if bug == FORGOTTEN and t == 1:
            before = np.zeros_like(before)
        found["W"][t - 1] = -delta_k.T @ s[t]
        found["V"][t - 1] = -delta_j.T @ x[t - 1]
        outer = -delta_j.T @ before
        found["U"][t - 1] = outer.T if bug == TURNED else outer

    for share in found.values():
        if bug == OVERWRITTEN:
            share[1:] = 0
        if bug == NEWEST:
            share[:-1] = 0
        if bug == MEAN:
            share[:] = share / T
        if bug == SIGN:
            share[:] = -share
    return found


BUGS = [
    RECURRENT,
    OUTPUT,
    STALE,
    OVERWRITTEN,
    NEWEST,
    MEAN,
    LATER_SLOPE,
    NO_SLOPE,
    SLOPE_AT_S,
    UNTURNED,
    CLIPPED,
]
BUGS += [TURNED, FORGOTTEN, SAME_STATE, SIGN]
assert len(BUGS) == 15

right = shares("", params, x, d, s0)
for name, share in right.items():
    assert np.allclose(share, net.copies[name], rtol=0, atol=1e-14)
print("with no bug, every copy's share is that of the tape")

# %% [markdown]
# One of them, seen copy by copy: pale on the left what is right, on the right what the bug makes of it. The sum
# looks like a gradient; its shares do not.

# %%
bug = shares(RECURRENT, params, x, d, s0)
tg.player(net, compare=bug, start=("U", 2), title=f"Bug: {RECURRENT}", ops=False)

# %% [markdown]
# Does a network learn with such a gradient? We take two hundred steps with each of them, the gradient clipped by norm
# as in lesson 13. The desired values are no certainties, so even the right probabilities, $y = d$, cost something. What
# lies between the cost at the start and that floor is what can be saved.


# %%
def learned(bug):
    """The cost after some steps along the (wrong) gradient, as a part of the cost before."""
    weights = {name: w.copy() for name, w in params.items()}
    costs = []
    for _ in range(200):
        costs.append(tg.guo.cost(tg.guo.forward(weights, x, s0, f="tanh").y, d).sum())
        wrong = {
            name: share.sum(axis=0) for name, share in shares(bug, weights, x, d, s0).items()
        }
        for name, g in tg.clip_by_norm(wrong, 1.0).items():
            weights[name] -= 0.05 * g
    floor = -(d * np.log(d)).sum()  # the cost at y = d
    return (costs[-1] - floor) / (costs[0] - floor)


left = {bug: learned(bug) for bug in ["", *BUGS]}
for bug, part in sorted(left.items(), key=lambda item: item[1]):
    print(f"{100 * part:7.1f} % of what can be saved is left   {bug or 'no bug'}")
still = sum(part < 0.5 for bug, part in left.items() if bug)
print(f"\n{still} of {len(BUGS)} still save more than half of it")
assert still > len(BUGS) / 2
assert left[""] < 0.5
assert sum(left[bug] < 2 * left[""] for bug in BUGS) >= 3
assert (
    sum(np.array_equal(shares(bug, params, x, d, s0)["W"], right["W"]) for bug in BUGS)
    > len(BUGS) / 2
)

# %% [markdown]
# A cost that falls says nothing about the gradient. Many wrong directions lead downhill, most of the bugs leave the
# gradient of `W` as it is, and on a task as small as this one some of them end as low as the right program. So nobody
# finds them by watching the cost. They must be looked for.
#
# ## What a gradient check sees
#
# A gradient check moves every weight a little and measures the cost. It compares **sums**: the one number that the
# whole matrix entry gets, from all copies together.


# %%
def measured(params, x, d, s0, f="tanh", push=1e-5):
    """The slopes of the cost, by moving each entry of a weight."""
    slopes = {}
    for name in "VUW":
        slopes[name] = np.zeros_like(params[name])
        for at in np.ndindex(params[name].shape):
            costs = []
            for sign in (+1, -1):
                moved = params | {name: params[name].copy()}
                moved[name][at] += sign * push
                costs.append(tg.guo.cost(tg.guo.forward(moved, x, s0, f=f).y, d).sum())
            slopes[name][at] = (costs[0] - costs[1]) / (2 * push)
    return slopes


def seen(bug, truth, *data, f="tanh"):
    """Whether the gradient check sees this bug on these data."""
    found = shares(bug, *data, f=f)
    return any(
        np.abs(found[name].sum(axis=0) - truth[name]).max()
        > 1e-4 * np.abs(truth[name]).max() + 1e-9
        for name in "VUW"
    )


truth = measured(params, x, d, s0)
assert not seen("", truth, params, x, d, s0)
caught = [bug for bug in BUGS if seen(bug, truth, params, x, d, s0)]
print(f"on {T} steps the gradient check sees {len(caught)} of {len(BUGS)}")
assert caught == BUGS

# %% [markdown]
# All of them. So where do they all come from? From having no check, or one on a network that is too easy. It is
# tempting to test with a single time step, because then one can work it out by hand. Here is what that misses.

# %%
short = problem(T=1)
truth_short = measured(*short)
missed = [bug for bug in BUGS if not seen(bug, truth_short, *short)]
print(f"with T = 1 the gradient check misses {len(missed)} of {len(BUGS)}:")
for bug in missed:
    print("  ", bug)
assert set(missed) == {
    RECURRENT, OUTPUT, STALE, OVERWRITTEN, NEWEST, MEAN, LATER_SLOPE, UNTURNED, CLIPPED
}  # fmt: skip

# %% [markdown]
# With one step there is no "later", no second copy, no sum: nothing of backpropagation through *time* is tested at all.
# Other easy networks hide other mistakes. Each column is one way to make it easy: one step, two steps, one hidden unit,
# `s(0)` zero, a symmetric `U`, an `f` that is a straight line, very small weights.


# %%
def symmetric(params):
    return params | {"U": params["U"] + params["U"].T}


params_1, x_1, d_1, s0_1 = problem(m=1)
networks = {
    "right": ((params, x, d, s0), "tanh"),
    "T=1": (short, "tanh"),
    "T=2": (problem(T=2), "tanh"),
    "m=1": ((params_1, x_1, d_1, s0_1), "tanh"),
    "s=0": ((params, x, d, 0 * s0), "tanh"),
    "sym": ((symmetric(params), x, d, s0), "tanh"),
    "lin": ((params, x, d, s0), "identity"),
    "small": (problem(scale=0.02), "tanh"),
}
hidden = {}
print(f"{'+ seen, - missed':30}" + "".join(f"{name:>7}" for name in networks))
truths = {name: measured(*data, f=f) for name, (data, f) in networks.items()}
for bug in BUGS:
    marks = [seen(bug, truths[name], *data, f=f) for name, (data, f) in networks.items()]
    hidden[bug] = [name for name, mark in zip(networks, marks, strict=True) if not mark]
    print(f"{bug:30}" + "".join(f"{'+' if mark else '-':>7}" for mark in marks))
assert not any("right" in names for names in hidden.values())
assert hidden[TURNED] == ["m=1"]
assert hidden[FORGOTTEN] == ["s=0"]
assert "T=2" in hidden[STALE]
assert "sym" in hidden[UNTURNED]
assert "small" in hidden[CLIPPED]
assert "small" in hidden[SLOPE_AT_S]
assert {NO_SLOPE, SLOPE_AT_S, LATER_SLOPE} <= {
    bug for bug, names in hidden.items() if "lin" in names
}

# %% [markdown]
# Read a column downwards and you see what that network cannot tell you. Read the one called `right` and you have the
# recipe for a test that can fail: several steps, several units, all sizes different, `U` not symmetric, a state at the
# start that is not zero, an `f` that is not a straight line, weights of a sensible size, and a cost at every step.
#
# Why is clipping missed by small weights? There no error is large enough to be clipped. And with small sums
# $s = \tanh(\mathrm{net})$ is nearly $\mathrm{net}$, so $f'$ at the one is $f'$ at the other.
#
# One line is worth a second look. "Error handed on one step only" is missed by two time steps as well. A step further
# there is something to hand on *again*, and that is what it forgets.
#
# ## Signatures
#
# The check says *wrong*. It does not say where. For that, do not look at the sum; look at its parts. There is one for
# each cost and each copy. It is the table of lesson 10, the **influence** of the copy at $\tau$ on the cost at $t$,
#
# $$
# G[t, \tau] = \frac{\partial C(t)}{\partial U(\tau)},
# $$
#
# zero where $\tau > t$, because no copy moves an earlier cost. For each bug we draw such a table. Row $t$ is what the
# buggy program gives if it starts from $C(t)$ alone, column $\tau$ is the copy. A part of it is
#
# * right (`=`), or rightly zero (`.`),
# * missing (`0`),
# * turned over (`T`), a multiple of what is right (`*`),
# * or otherwise wrong (`x`).

# %%
G = {name: tg.influence(net, name) for name in "VUW"}


def mark(got, true):
    """One character for what became of a share."""
    if np.allclose(got, true, rtol=0, atol=1e-12):
        return "=" if true.any() else "."
    if not got.any():
        return "0"
    if got.shape == true.T.shape and np.allclose(got.T, true, rtol=0, atol=1e-12):
        return "T"
    factor = (got * true).sum() / (true * true).sum() if true.any() else 0
    return "*" if factor and np.allclose(got, factor * true, rtol=0, atol=1e-12) else "x"


def signature(bug, weight):
    """A row for each cost, a column for each copy."""
    rows = []
    for t in range(1, T + 1):
        found = shares(bug, params, x, d, s0, only=t)[weight]
        rows.append("".join(mark(found[tau], G[weight][t - 1, tau]) for tau in range(T)))
    return rows


def show(*bugs, weights="U"):
    """Their signatures side by side."""
    parts = [
        (f"{weight}: {bug or 'no bug'}", signature(bug, weight))
        for bug in bugs
        for weight in weights
    ]
    for k in range(0, len(parts), 2):
        print("".join(f"{name:36}" for name, _ in parts[k : k + 2]).rstrip())
        for t in range(T):
            print("".join(f"{rows[t]:36}" for _, rows in parts[k : k + 2]).rstrip())
        print()


assert signature("", "U") == ["=...", "==..", "===.", "===="]
show("", RECURRENT, STALE, OUTPUT, UNTURNED, LATER_SLOPE)

# %% [markdown]
# Each picture tells what happened.
#
# * *Recurrent term left out*: only the diagonal is there. No error has travelled at all. This is Guo's equation (12)
#   taken by itself; lesson 6 began with it.
# * *Error handed on one step only*: a band of two.
# * *Output term left out*: only the last row. The earlier costs say nothing.
# * *U.T instead of U*: the diagonal is right, and everything below is wrong. It goes wrong as soon as it travels.
# * *f' of the step after*: only the newest step of the last cost is right, because no step comes after it.

# %%
assert signature(RECURRENT, "U") == ["=...", "0=..", "00=.", "000="]
assert signature(STALE, "U") == ["=...", "==..", "0==.", "00=="]
assert signature(OUTPUT, "U") == ["0...", "00..", "000.", "===="]
assert signature(UNTURNED, "U") == ["=...", "x=..", "xx=.", "xxx="]
assert signature(LATER_SLOPE, "U") == ["x...", "xx..", "xxx.", "xxx="]
show(OVERWRITTEN, NEWEST, FORGOTTEN, MEAN, SIGN, TURNED)

# %% [markdown]
# Columns are copies. *= instead of +=* keeps the column that was written last, and going back, that is the copy at $t =
# 1$. *The newest copy only* keeps the other end. *s(0) taken as zero* loses the first column and nothing else: only the
# first copy reads $s(0)$. Where all is a multiple, look at the factor.

# %%
assert signature(OVERWRITTEN, "U") == ["=...", "=0..", "=00.", "=000"]
assert signature(NEWEST, "U") == ["0...", "00..", "000.", "000="]
assert signature(FORGOTTEN, "U") == ["0...", "0=..", "0==.", "0==="]
assert signature(TURNED, "U") == ["T...", "TT..", "TTT.", "TTTT"]
for bug in (MEAN, SIGN):
    found = shares(bug, params, x, d, s0, only=T)["U"]
    factor = (found[0] * G["U"][-1, 0]).sum() / (G["U"][-1, 0] ** 2).sum()
    print(f"{bug}: everything is {factor:g} times what is right")
show(NO_SLOPE, SLOPE_AT_S, SAME_STATE, CLIPPED)

# %% [markdown]
# Three are wrong everywhere in `U`. *Error clipped* is right at one place: the newest error has not set out yet. But a
# weight is not alone. Ask the others.

# %%
for bug in (NO_SLOPE, SLOPE_AT_S, SAME_STATE):
    assert "=" not in "".join(signature(bug, "U"))
assert signature(CLIPPED, "U") == ["x...", "xx..", "xxx.", "xxx="]
show(NO_SLOPE, SAME_STATE, weights="VW")
assert signature(SAME_STATE, "V") == signature("", "V")
assert "=" not in "".join(signature(NO_SLOPE, "V"))
assert signature(NO_SLOPE, "W") == signature("", "W")

# %% [markdown]
# *s(t) instead of s(t-1)* leaves `V` alone: the errors are right, and what they are multiplied with is not. *f' left
# out* spoils the errors themselves, so `V` is wrong too. `W` is right both times: on the way back it comes before
# the first $f'$. (Its copy at $t$ acts on $C(t)$ alone, so its table is a diagonal.)
#
# How far does that get us? If two mistakes leave the same marks everywhere, the marks cannot tell them apart.

# %%
marks = {bug: tuple(tuple(signature(bug, weight)) for weight in "VUW") for bug in BUGS}
alike = [(a, b) for k, a in enumerate(BUGS) for b in BUGS[k + 1 :] if marks[a] == marks[b]]
print(f"{len(BUGS)} bugs, {len(set(marks.values()))} different signatures in V, U and W")
for a, b in alike:
    print(f"alike: {a!r} and {b!r}")
assert len(alike) < len(BUGS) / 3

# %% [markdown]
# These pairs need a second look. The first one is told apart by its factor. For the others, go back to the table of
# easy networks: on some of them one of the two is not seen and the other is. Taken together, nothing is left that looks
# alike.

# %%
for a, b in alike[1:]:
    print(f"{a!r} is missed by {hidden[a]}, {b!r} by {hidden[b]}")
both = {(marks[bug], tuple(hidden[bug])) for bug in BUGS if bug != SIGN}
assert len(both) == len(BUGS) - 1
assert alike[0] == (MEAN, SIGN)

# %% [markdown]
# ## A diagnosis
#
# Here is a stranger. Somebody's gradient fails the check, and this is the ledger of `U`: for each copy, the largest
# entry of the share that came out, of the right one, and of their difference. Which exhibit is it? Make up your mind
# before you read on. (Two copies are right. How far has an error travelled to get to them, at most?)

# %%
patient = BUGS[np.random.default_rng(11).integers(len(BUGS))]
ledger = shares(patient, params, x, d, s0)["U"]
print(f"{'t':>3}{'got':>10}{'right':>10}{'differs by':>12}")
for t in range(1, T + 1):
    got, true = ledger[t - 1], right["U"][t - 1]
    print(
        f"{t:3}{np.abs(got).max():10.4f}{np.abs(true).max():10.4f}"
        f"{np.abs(got - true).max():12.4f}"
    )

# %% [markdown]
# The copies at 3 and 4 are right: the errors they get have travelled one step at most. From two steps on something is
# missing or wrong. The ledger adds up the costs of all steps, and does not say which. The influence matrix takes them
# apart:

# %%
suspects = [bug for bug in BUGS if marks[bug][1] == tuple(signature(patient, "U"))]
print(*signature(patient, "U"), sep="\n")
print("\nin the museum this is:", *suspects, sep="\n  ")
assert suspects == [patient]
assert [bool(np.allclose(ledger[t - 1], right["U"][t - 1])) for t in range(1, T + 1)] == [
    False,
    False,
    True,
    True,
]

# %% [markdown]
# ## What no sum can see
#
# Is the right network with a gradient check enough, then? For the sum, yes. But somebody may want the copies: to draw a
# ledger, to train them untied (each copy a weight of its own), to find out how far back a network remembers. Write them
# down in the wrong order:


# %%
mislabelled = {name: share[::-1] for name, share in right.items()}
sums_agree = all(
    np.allclose(mislabelled[name].sum(axis=0), truth[name], atol=1e-7) for name in "VUW"
)
copies_agree = all(np.allclose(mislabelled[name], net.copies[name]) for name in "VUW")
print("the sums agree:", sums_agree, "   the copies agree:", copies_agree)
assert sums_agree
assert not copies_agree

# %% [markdown]
# The sum is perfect, and every label is wrong. So check each copy by itself: untie the copies, move one, measure.
# Lesson 9 did this by hand, and `net.check()` does it for a network, op by op and copy by copy.

# %%
report = net.check()
print(report)
assert report.ok
bypassed = [str(node) for node in net.tape if node.name == "y" and node.cotangent is None]
assert report.compared["cotangent"].left_out == len(bypassed) == T

# %% [markdown]
# Row by row: `value` plays each op again; `vjp` and `jvp` hold its derivative against measured slopes, as it is used
# backwards (a *vector times the Jacobian*, lesson 5) and forwards (the *Jacobian times a vector*, lesson 15);
# `cotangent` and `copy` move one node and one copy at a time, `gradient` a whole weight. Left out are the four $y(t)$:
# the tape goes past them in one stride, equation (17).

# %% [markdown]
# ## Where they were seen
#
# Did we make these mistakes up? For most of them, here is a place where people have met it in public: an error report,
# a mended line, or a question. *The same* means that the mistake described there is the exhibit's, *near* that it is a
# relative; *without time*, that the network there is not recurrent. None of these programs was run for this. For three
# of the fifteen we know of no public case.
#
# | exhibit | where | how near |
# |---|---|---|
# | recurrent term left out | [qixianbiao/RNN#2]: the errors of later steps are never handed back | the same |
# | output term left out | no case found. A question of why both terms are there is [Halfish/cs231n#4] | none |
# | error handed on one step only | no case found. Full backpropagation was taken for it, in the answer there | none |
# | = instead of += | [mratsim/Arraymancer#237]: gradients of a value that is used twice were not added up | the same |
# | the newest copy only | [hanbt/learn_dl#30]: an LSTM's input weights, not summed over time? Disputed | near |
# | mean over the copies | [d2l-ai/d2l-en#2707]: a mean for a sum in a loss; reversed, [karpathy/char-rnn#70] | near |
# | f' of the step after | [hanbt/learn_dl#29]: step k+1 for step k, found by a gradient check | the same |
# | f' left out | [parasdahal/tinyml#1], without time; and again [hanbt/learn_dl#29] | the same |
# | f' at s instead of net | Guo's (19), E5 of lesson 8; [benoitfragit/libBrain#78] | the same |
# | U.T instead of U | Guo's (26), E7 of lesson 8; asked in [pulp-platform/pulp-trainlib#3], without time | the same |
# | error clipped on its way | [open-lm-engine/lm-engine#505]: a clamp in the loop over time | the same |
# | outer product transposed | [iamtrask/Grokking-Deep-Learning#23], without time | the same |
# | s(0) taken as zero | no case found. [PaddlePaddle/Paddle#5429] had no first state at all | none |
# | s(t) instead of s(t-1) | [VikParuchuri/zero_to_gpt#9]: `h[1]` where `h[0]` is asked for; unanswered | the same |
# | the sign | [dennybritz/nn-from-scratch#11]: wrong in the formula, right in the code | the same |
#
# There are false alarms, too. Who sees $y (1 - y)$ where $f'$ is expected may report a bug, as in
# [lazyprogrammer/facial-expression-recognition#2], and for the logistic function it is right: that is (14). The mirror
# image of *f' at s* is real, though: the formula for $s$, given $\mathrm{net}$, in [BoltzmannEntropy/interviews.ai#15].
#
# [qixianbiao/RNN#2]: https://github.com/qixianbiao/RNN/issues/2
# [Halfish/cs231n#4]: https://github.com/Halfish/cs231n/issues/4
# [mratsim/Arraymancer#237]: https://github.com/mratsim/Arraymancer/issues/237
# [hanbt/learn_dl#30]: https://github.com/hanbt/learn_dl/issues/30
# [d2l-ai/d2l-en#2707]: https://github.com/d2l-ai/d2l-en/issues/2707
# [karpathy/char-rnn#70]: https://github.com/karpathy/char-rnn/issues/70
# [hanbt/learn_dl#29]: https://github.com/hanbt/learn_dl/issues/29
# [parasdahal/tinyml#1]: https://github.com/parasdahal/tinyml/issues/1
# [benoitfragit/libBrain#78]: https://github.com/benoitfragit/libBrain/issues/78
# [pulp-platform/pulp-trainlib#3]: https://github.com/pulp-platform/pulp-trainlib/issues/3
# [open-lm-engine/lm-engine#505]: https://github.com/open-lm-engine/lm-engine/issues/505
# [iamtrask/Grokking-Deep-Learning#23]: https://github.com/iamtrask/Grokking-Deep-Learning/issues/23
# [PaddlePaddle/Paddle#5429]: https://github.com/PaddlePaddle/Paddle/issues/5429
# [VikParuchuri/zero_to_gpt#9]: https://github.com/VikParuchuri/zero_to_gpt/issues/9
# [dennybritz/nn-from-scratch#11]: https://github.com/dennybritz/nn-from-scratch/issues/11
# [lazyprogrammer/facial-expression-recognition#2]: https://github.com/lazyprogrammer/facial-expression-recognition/issues/2
# [BoltzmannEntropy/interviews.ai#15]: https://github.com/BoltzmannEntropy/interviews.ai/issues/15
#
# Three things to take home. Test on a network that can fail. Look at the parts, not at the sum. And when something is
# wrong, let the parts tell you where, before you read the code.
#
# All of this is easy on a tape that keeps every copy. But is such a tape not terribly slow? It would be, if it were
# played as it was recorded.
