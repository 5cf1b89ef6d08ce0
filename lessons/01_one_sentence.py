# %% [markdown]
# # One sentence, unfolded: a weight and its copies
#
# * **Goal**: read the ledger of a weight, and say why its rows are added
# * **Needs**: nothing
# * **Words**: recurrent neural network, RNN, ledger
#
# A *recurrent network* reads `we see`, one character after the other, and says each time which one comes next. For
# that it has to remember what it read: after the first `e` comes a space, after the second one another `e`.
#
# What it remembers goes from each character to the next through one table of numbers, `U`. It is a *weight*: a table
# that learning may change. It is used once for each character that is read, five times in all.
#
# The network has learned nothing yet, so what it says is wrong. **How should `U` change?** It was used five times.
# Which of the five is to blame?

# %% [markdown]
# ## The picture
#
# Write the network down five times, side by side. This is called to *unfold* it. Each column is a *time step* `t`.
#
# * `x(t)` is the character that is read, and `s(t)` the *state*: three numbers, all that the network remembers.
# * `y(t)` says how likely each character is to come next. `C(t)` is the *cost* of being wrong: 0 if the right
#   character was certain, and the larger the less likely it was held. `C` is the sum of all five.
# * On the lines stand the weights. `U(1)`, ..., `U(5)` are *copies*: all five are the one `U`.

# %%
import numpy as np

import tinygrad_rnn as tg

sentence = "we see"
alphabet = sorted(set(sentence), key=sentence.index)
# each character as a row with a single 1
rows = np.eye(len(alphabet))[[alphabet.index(c) for c in sentence]]
x, d = rows[:-1, None], rows[1:, None]  # read, and to be said

# f makes s(t) of one sum; g makes y(t) of another: the softmax gives numbers above 0 that add up to 1
cell = tg.cells.Guo(f="tanh", g="softmax")
params = cell.init(n_in=4, n_hidden=3, n_out=4, rng=1)
s0 = np.array([[0.3, -0.2, 0.1]])
net = tg.unfold(cell, params, x, d, loss="cross_entropy", reduction="sum", s0=s0)
net.backward()
assert np.isclose(net.loss, sum(cost.value for cost in net.losses))
letters = [f"“{c}”" for c in sentence]
tg.draw(net, level="figure", captions={"x": letters[:-1], "d": letters[1:]})

# %% [markdown]
# ## The ledger
#
# Let one number in one copy grow a little, and leave the other copies as they are. How fast does the cost grow? That
# is the *share* of the copy. `U` has nine numbers, `u₁₁` to `u₃₃`, so a copy has nine shares. The *ledger* has a row
# for each copy. Below the line stands their sum, and then what the library holds for `U` itself: its *gradient*.

# %%
print(tg.ledger(net, "U"))
assert net.copies["U"].shape == (5, 3, 3)
assert np.allclose(net.copies["U"].sum(axis=0), net.grads["U"], rtol=0, atol=1e-14)

# %% [markdown]
# Read one number. In row 5, below `u₁₁`, it is negative: let `u₁₁` grow in `U(5)` alone, and the cost falls. In row
# 4 it is positive: in `U(4)` alone, the cost would rise. They do not agree. Who is right?

# %%
u_11 = net.copies["U"][:, 0, 0]
print(f"U(4) alone: let u₁₁ grow by 0.01, and the cost changes by about {0.01 * u_11[3]:+.4f}")
print(f"U(5) alone: let u₁₁ grow by 0.01, and the cost changes by about {0.01 * u_11[4]:+.4f}")
assert u_11[4] < 0 < u_11[3]

# %% [markdown]
# ## Why are the rows added?
#
# The five copies are one `U`. Whoever changes `u₁₁` changes it in all five places at once. Each place moves the cost
# by its own share, and small changes add up. That is all.
#
# Do not believe it, measure it: move `u₁₁` by a millionth up and down, in one copy alone and then in all of them, and
# see how much the cost moves. (`untie` makes of the one `U` five that may differ.)

# %%
apart = tg.untie(params, T=5)
free = tg.unfold(cell, apart, x, d, loss="cross_entropy", reduction="sum", s0=s0, untied=True)


def measured(copies, step=1e-6):
    """How fast the cost grows if u₁₁ grows in these copies alone."""
    costs = []
    for way in (+step, -2 * step, +step):
        apart["U"][copies, 0, 0] += way
        costs.append(free.replay())
    return (costs[0] - costs[1]) / (2 * step)


for t in range(5):
    print(f"moved in U({t + 1}) alone  {measured([t]):+.6f}   row {t + 1}    {u_11[t]:+.6f}")
    assert abs(measured([t]) - u_11[t]) < 1e-8
everywhere = measured([0, 1, 2, 3, 4])
print(f"moved everywhere     {everywhere:+.6f}   the sum  {u_11.sum():+.6f}")
assert abs(everywhere - net.grads["U"][0, 0]) < 1e-8

# %% [markdown]
# That answers the first question: the gradient points to where the cost grows, so `U` should go a little the other
# way. It is the same for the other weights. One small step, and the network is less wrong. This is how it learns.

# %%
better = {name: weight - 0.1 * net.grads[name] for name, weight in params.items()}
learned = tg.unfold(cell, better, x, d, loss="cross_entropy", reduction="sum", s0=s0)
print(f"cost before {net.loss:.4f}, after one step {learned.loss:.4f}")
assert learned.loss < net.loss

# %% [markdown]
# ## Where does a share come from?
#
# Nobody moves every number to get its share. All shares come in one go, on a way back through the picture that
# starts at the costs. We follow it to `U(5)`, because from the costs to the last copy it is shortest.
#
# The player has the picture again, with the shares of `U` below it, each also in per cent of the sum. A negative per
# cent share is one that goes against the sum: alone, that copy asks for the opposite change of `U`. Choose any copy,
# and ask "why this error?" until you stand at a cost. What follows does the same for `U(5)`, in four steps.

# %%
player = tg.player(net, title="One sentence, copy by copy", start=("U", 5))
print(f"{len(player.trace)} steps, the last one {player.trace.moments[-1].title}")
player

# %% [markdown]
# Which formula? In the picture `s(4)` goes into `U(5)`, and a sum comes out, called `net`:
#
# $$
# \mathrm{net}_j(5) = x(5)\,V^\top + s(4)\,U^\top + b_j, \qquad s(5) = \tanh(\mathrm{net}_j(5)) .
# $$
#
# ($b_j$ are three numbers that are always added.) In it, $u_{jh}$ is multiplied by number $h$ of the state and goes
# into number $j$ of the sum. So its share is a product: how fast the cost grows if that sum grows, which is called
# the *error* of the sum, times that number of the state. One entry is worked out; check it by hand.

# %%
steps = list(net.steps())
back = {(step.equation, step.t): step for step in steps if step.phase == "backward"}
tg.show([back["G12", 5]])

# %% [markdown]
# The state is known. **Why this error?** The sum went through the tanh, whose slope is $1 - s^2$. So the error of the
# sum is the error of the state, times that slope (⊙: entry by entry).

# %%
tg.show([back["G9", 5]])

# %% [markdown]
# **Why this one?** The state was read by `W(5)`, on its way up to `y(5)`. There it goes into a second sum,
# $\mathrm{net}_k(5) = s(5)\,W^\top + b_k$, with a number for each character; `W` and $b_k$ are weights as well. The
# error of that sum comes down the same way, through the same numbers.

# %%
tg.show([back["G22", 5]])

# %% [markdown]
# **And this one?** Of the second sum a function `g` makes `y(5)`: four numbers above 0 whose sum is 1. `d(5)` is what
# came: a 1 at that character, else 0. Here we are at the root, the cost. The error is what the network said minus
# what came: positive where it said too much, negative at the character that really came. (Lesson 5 shows why.)

# %%
tg.show([back["G17", 5]])
for t in range(1, net.T + 1):
    root = back["G17", t]
    assert np.allclose(root.value, net.outputs[t - 1].value - d[t - 1])

# %% [markdown]
# ## Through time
#
# One column further left there is something new. `s(4)` was read twice: by `W(4)` in its own column, and by `U(5)` in
# the next one. So an error comes back through `U(5)`, from a later time step to an earlier one. This line is what
# *backpropagation through time* has its name from.

# %%
tg.show([back["G26", 5]])

# %% [markdown]
# The error from its own column is added to it, `+=`, since small changes add up. So it goes on, column by column, to
# `U(1)`.

# %%
own = back["G22", 4]
before, share = own.before[0, 0], own.value[0, 0]
print(f"number 1: {before:.3f} + ({share:.3f}) = {before + share:.3f}")
tg.show([own])
assert np.allclose(own.before, back["G26", 5].value)
assert np.isclose(round(before, 3) + round(share, 3), round(before + share, 3))

# %% [markdown]
# ## A second witness
#
# Jiang Guo derived all this on paper in 2013, and these are his letters and his equations. The package has them
# written out by hand as well, without any of what you have seen. They find the same shares, of every copy of every
# weight.
#
# If you want to see every step that was taken, there and back, `tinygrad-rnn step --text "we see"` goes through them.

# %%
by_hand = tg.guo.gradients(
    params, x, d, s0, f="tanh", g="softmax", loss="cross_entropy", reduction="sum"
)
for name in params:
    difference = np.abs(net.copies[name] - by_hand.copies[name]).max()
    print(f"{name:>3}: largest difference in any copy {difference:.1e}")
    assert difference < 1e-12
