# %% [markdown]
# # Your own cell, derived: the minimal gated unit
#
# * **Goal**: write a cell of your own, have its backward pass derived, written out and checked
# * **Needs**: lessons 6 and 14; lesson 19 helps
# * **Words**: minimal gated unit, MGU, custom cell, derivation
#
# Letters that only this lesson has:
#
# | here | what it is | Guo | elsewhere |
# |---|---|---|---|
# | $f$ | gate: how much of the state is made new | function of the hidden units | what is 1 − z in a GRU |
# | $n$ | proposal for the new state | | |
# | $\sigma$ | function: the logistic one, between 0 and 1 | (13) | |
#
# Every cell up to here was one of the library's. But you read a paper, and in it stands a cell that nobody has built
# for you. Its forward pass is in the paper: three lines. Its backward pass is not. You can let a framework
# differentiate it, and you get numbers and no formula. You can derive it by hand, which took lesson 6 some pages, for a
# simpler network, and then hope that there is no mistake in it. Or you write down the three lines, and ask the tape
# what it makes of them.
#
# Our cell is the **minimal gated unit** of Zhou and others (2016): a GRU that makes do with one gate.
#
# ## The picture
#
# A cell is a function: the weights, the input and the state go in, the new state and the output come out. It is written
# in ops, so that the tape sees them, and nothing in it says that there will be copies. Here is the cell, and below it
# the picture that the library draws of it. Look at what leads from one state to the next.

# %%
import re
import textwrap

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import ops, pathology

T, n, l, m, o = 4, 1, 2, 3, 2


def gated(params, x, s):
    """One gate: how much of the state goes, and of what is new comes in."""
    net_f = ops.linear(x, params["V_f"], s, params["U_f"], params["b_f"], name="net_f")
    f = ops.sigmoid(net_f, name="f")
    net_n = ops.linear(x, params["V_n"], f * s, params["U_n"], params["b_n"], name="net_n")
    n = ops.tanh(net_n, name="n")
    s = ops.add((1 - f) * s, f * n, name="s")
    return s, ops.softmax(ops.linear(s, params["W"], params["b_k"], name="net_k"), name="y")


rng = np.random.default_rng(30)
shapes = {"V_f": (m, l), "U_f": (m, m), "b_f": (m,)}
shapes |= {"V_n": (m, l), "U_n": (m, m), "b_n": (m,), "W": (o, m), "b_k": (o,)}
params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
x, d = rng.normal(size=(T, n, l)), np.eye(o)[rng.integers(o, size=(T, n))]
s0 = rng.normal(size=(n, m))
net = tg.unfold(gated, params, x, d, s0=s0)
net.backward()
tg.draw(net, level="figure", ledger="U_n")

# %% [markdown]
# Three lines lead from each state to the next. One goes through $U_\mathrm{f}$, one through $U_\mathrm{n}$, and the one
# between them through no matrix at all. Below stands what each copy of $U_\mathrm{n}$ gives to its gradient: the shares
# of lesson 1, of a cell that the library has never seen.
#
# ## The formula
#
# $$
# \begin{aligned}
# f &= \sigma\big(x V_\mathrm{f}^\top + s(t-1)\, U_\mathrm{f}^\top + b_\mathrm{f}\big) && \text{the gate} \\
# n &= \tanh\big(x V_\mathrm{n}^\top
# + (f \odot s(t-1))\, U_\mathrm{n}^\top + b_\mathrm{n}\big) && \text{a proposal} \\
# s(t) &= (1 - f) \odot s(t-1) + f \odot n
# \end{aligned}
# $$
#
# The new state is a mean of the old one and a proposal, as in a GRU. The one gate does two things: it says how much of
# the old state the proposal gets to see, and how much of the proposal is taken.
#
# Who reads whom? That decides everything about the way back, for each reader will send a share. Ask the tape who reads
# $s(2)$ in the next step, and who reads the gate $f(3)$.

# %%
at = {(node.name, node.t): node for node in net.tape if node.name and node.t}


def read_by(read):
    """Who reads a node in the third step, as the tape calls it."""
    return [str(node) for node in net.tape if node.t == 3 and read in node.parents]


print("s(2) is read by", ", ".join(read_by(at["s", 2])))
print("f(3) is read by", ", ".join(read_by(at["f", 3])))
assert len(read_by(at["s", 2])) == len(read_by(at["f", 3])) == 3

# %% [markdown]
# Three readers each. So before any rule is written down we know how many terms there must be: in the error of the state
# four, one for the output and three from the next step, and in that of the gate three. Who derives by hand and finds
# fewer has forgotten a reader.
#
# ## The derivation
#
# Now have it derived. Each op knows what it hands to each of its arguments; put these together along the reads, and
# there is the backward pass. Below, $\partial s(t)$ is short for $\partial C / \partial s(t)$, and what would come from
# beyond the last step is zero.

# %% tags=["prose"]
derivation = net.derivation()
for line in derivation.backwards:
    print(line)

# what is added up in each line, by what it is the error of
terms = {}
for line in derivation.backwards:
    left, right = str(line).split(" = ")
    terms[left] = re.split(r" \+ | − (?=∂)", right)
assert len(terms["∂s(t)"]) == 4
assert len(terms["∂f(t)"]) == 3

# %% [markdown]
# Read the second line: the error of the state, with its four terms.
#
# $$
# \partial s(t) = \partial \mathrm{net}_k(t)\, W + \partial \mathrm{net}_\mathrm{f}(t+1)\, U_\mathrm{f}
# + \big(\partial \mathrm{net}_\mathrm{n}(t+1)\, U_\mathrm{n}\big) \odot f(t+1) + \partial s(t+1) \odot (1 - f(t+1))
# $$
#
# The first two are Guo's (22) and (26). The third comes back through $U_\mathrm{n}$ and is then multiplied by the
# gate, in the order opposite to that of the forward pass. The last has met no matrix: it is the carousel of lesson 14.
#
# In the error of the gate there is a minus, from $1 - f$. Two of its shares are $\partial s(t)$, times the proposal and
# times the old state: where these two are alike, the mean does not depend on the gate, and the shares cancel.
#
# `net.derivation()` at the end of a notebook's cell shows all of it as formulas, and
# `net.derivation().save("unit.tex")` writes it for a paper. Do we believe it? Put in the numbers of one step, $t = 2$.

# %%
f_3 = at["f", 3].value
shares = {
    "from the output": at["net_k", 2].cotangent @ params["W"],
    "through U_f": at["net_f", 3].cotangent @ params["U_f"],
    "through U_n, and the gate": (at["net_n", 3].cotangent @ params["U_n"]) * f_3,
    "by the carousel": at["s", 3].cotangent * (1 - f_3),
}
for said, share in shares.items():
    print(f"{said:>26}  {np.array2string(share[0], precision=4, sign='+')}")
error = np.asarray(at["s", 2].cotangent)
print(f"{'dC/ds(2)':>26}  {np.array2string(error[0], precision=4, sign='+')}")
assert np.allclose(sum(shares.values()), error, rtol=0, atol=1e-15)

# %% [markdown]
# ## The program
#
# A formula is one thing, a program another. `net.written()` writes the network out as a file that needs NumPy and
# nothing else, as you would have written it: the loop forwards, the loop backwards, and a check. This is the way back.

# %%
text = net.written()
back = text[text.index("    for t in range(T, 0, -1):") : text.index("    return C, grads")]
print(textwrap.dedent(back))

# %% [markdown]
# Hold it against the derivation: it is the same, line by line. What goes to the step before is carried along as
# `d_s_later`, its three terms in the last line of the loop. The shares of all copies are kept, and added in the end.
#
# It is an *account* of the network; nothing in the library runs on it. So run it, and compare every share of every copy
# with those on the tape.

# %%
file = {}
exec(text, file)
C, grads, copies, _ = file["bptt"](x, d, s0, *params.values())
furthest = max(np.abs(copies[name] - net.copies[name]).max() for name in params)
print(f"the cost of the file {C:.6f}, of the tape {net.loss:.6f}")
print(f"the shares of the copies differ by {furthest:.0e} at most")
assert np.isclose(C, net.loss, rtol=0, atol=1e-12)
assert furthest < 1e-12

# %% [markdown]
# File and tape agree. That could be because they have the same mistake: one was made from the other. So ask a third
# one, who knows no rule of differentiation and only moves a number and looks at the cost. The file can do that to
# itself, for whoever gets it without this library; and `net.check()` does it to the tape, op by op, error by error,
# copy by copy.

# %%
slopes = file["check"]()
report = net.check()
print("the file against its own measured slopes: ", "ok" if slopes < 1e-6 else slopes)
print(report)
assert slopes < 1e-6
assert report.ok
assert report.compared["copy"].count == T * len(params)

# %% [markdown]
# ## A mistake by hand
#
# Now somebody else has derived the unit by hand, and sends us the shares that came out. We make up three such people.
# Each writes what is above, but for one thing.
#
# * One forgets that the gate is also read by $1 - f$.
# * One multiplies the shares of $U_\mathrm{n}$ by the state, as one is used to; but $U_\mathrm{n}$ multiplies
#   $f \odot s(t-1)$.
# * One turns $U_\mathrm{n}$ over.
#
# `tg.diagnose` gets nothing but the numbers. It goes back through *this* network, again and again, each time with one
# rule broken, and says which of these ways gives just what was sent.

# %% tags=["prose"]
slips = {
    "d_s * n[t] - d_s * s[t - 1]": "d_s * n[t]",
    "d_net_n.T @ f_times_s[t]": "d_net_n.T @ s[t - 1]",
    "d_net_n @ U_n": "d_net_n @ U_n.T",
}
named = []
for right, wrong in slips.items():
    assert text.count(right) == 1
    theirs = {}
    exec(text.replace(right, wrong), theirs)
    sent = theirs["bptt"](x, d, s0, *params.values())[2]
    diagnosis = tg.diagnose(net, copies=sent)
    named += [cause.name for cause in diagnosis.explanations]
    print(f"{wrong}\n{diagnosis}\n")
assert named == [
    "the error that goes from (1 − f(t)) to f(t) left out",
    "s(t-1) instead of (f(t) ⊙ s(t-1)), in the share of U_n",
    "U_n.T instead of U_n",
]

# %% [markdown]
# No line of the diagnosis speaks of this cell: what it tries are the rules of the cell's own tape, one by one.
# There are also mistakes that it does not know. Then it says so, and where the first wrong number is:

# %% tags=["prose"]
strange = {name: share.copy() for name, share in copies.items()}
strange["U_n"][2, 1, 0] += 0.1
diagnosis = tg.diagnose(net, copies=strange)
print(diagnosis)
assert not diagnosis.explanations
assert (diagnosis.first_wrong.name, diagnosis.first_wrong.t) == ("U_n", 3)

# %% [markdown]
# ## What the line in the middle is for
#
# Lesson 14 asked of each cell how much of a state is still there some steps later. Here the line without a matrix
# multiplies by $1 - f$. Take the two other lines away, $U_\mathrm{f} = U_\mathrm{n} = 0$, and that is all there is.

# %%
left = {}
for bias in (0.0, -4.0):
    alone = params | {
        "U_f": np.zeros((m, m)),
        "U_n": np.zeros((m, m)),
        "b_f": np.full(m, bias),
    }
    carousel = tg.unfold(gated, alone, x, d, s0=s0)
    arrives = pathology.products(pathology.jacobians(carousel))[0, 0]
    gates = [node.value[0] for node in carousel.tape if node.name == "f"]
    left[bias] = np.prod([1 - f for f in gates], axis=0)
    print(f"bias {bias:+.0f}: ds(4) / ds(0) is {np.diag(arrives).round(3)},", end=" ")
    print(f"the product {left[bias].round(3)}")
    assert np.allclose(arrives, np.diag(left[bias]), rtol=0, atol=1e-15)
assert (left[-4.0] > left[0.0]).all()

# %% [markdown]
# So who wants such a unit to remember begins with a bias $b_\mathrm{f}$ that is *low*. In the LSTM and the GRU of
# lesson 14 it had to be high. The habit carried over from them would be wrong here, and the formula says so.
#
# ## Step by step
#
# Last, go through it yourself. Choose a copy, and ask "why this error?": the way back to the cost goes through the
# gate, the proposal or the line between them, and the page says through which.

# %%
tg.player(net, title="A minimal gated unit", start=("U_n", 3), ops=False)

# %% [markdown]
# Now put the cell of your paper into the place of `gated`: three lines or thirty. Draw it, and count the lines from
# state to state. Ask who reads what, and say how many terms there will be. Then have it derived, see whether you were
# right, and let the numbers of your own program be judged by it.
