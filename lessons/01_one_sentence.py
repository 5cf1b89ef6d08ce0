# %% [markdown]
# # One sentence, unfolded: a weight and its copies
#
# * **Goal**: read the ledger of a weight, and say why its rows are added
# * **Needs**: nothing
# * **Words**: recurrent neural network, RNN, forward pass, backward pass, ledger
#
# A recurrent network reads a sentence one character at a time. It has **one** matrix `U` that carries
# its memory from each character to the next, and it uses that same matrix again and again.
#
# When the network makes a mistake, how should this one matrix change?
#
# In this lesson you will see a network read a sentence of six characters. You will watch every number go
# forwards, and every error come back. At the end you will hold a table with one row for each time the
# matrix was used, and see why the rows are added.
#
# ## The sentence
#
# Our sentence is `we see`. The network reads a character and has to say which one comes next.
# Look at the letter `e`: the first time a space follows it, the second time another `e`. To tell the two
# apart, the network must remember what it read before. That is what `U` is for.

# %%
import numpy as np

import tinygrad_rnn as tg

sentence = "we see"
alphabet = sorted(set(sentence), key=sentence.index)
print("alphabet:", alphabet)

# %% [markdown]
# Numbers are all a network can read, so each character becomes a row with a single 1 in it.
# The input at time `t` is the character number `t`, the desired output is the one after it. Nothing comes after
# the sixth character, so there are five time steps.
# An array is written `x[t, p, i]`: first the time, then the sample (a sentence; we have one), then the unit, which is
# one place in the row.

# %%
rows = np.eye(len(alphabet))[[alphabet.index(c) for c in sentence]]
x = rows[:-1, None, :]
d = rows[1:, None, :]
print("x[t, p, i] has shape", x.shape, "and d[t, p, k] has shape", d.shape)

# %% [markdown]
# ## The network
#
# This is the simple recurrent network of Jiang Guo's report *BackPropagation Through Time* (2013). Between its input
# and its output stand *hidden units*: numbers that nobody sees from outside. It has
# three weight matrices: `V` from the input to the hidden units, `U` from the hidden units at the step before
# to the hidden units now, and `W` from the hidden units to the output. The biases $b_j$ and $b_k$ are added whatever
# comes in. Each time step computes
#
# $$
# \begin{aligned}
# \mathrm{net}_j(t) &= \sum_i x_i(t)\,v_{ji} + \sum_h s_h(t-1)\,u_{jh} + b_j, & s_j(t) &= \tanh(\mathrm{net}_j(t)), \\
# \mathrm{net}_k(t) &= \sum_j s_j(t)\,w_{kj} + b_k, & y_k(t) &= \operatorname{softmax}(\mathrm{net}_k(t)),
# \end{aligned}
# $$
#
# which are Guo's equations (2), (1), (4) and (3). The state `s(t)` holds the hidden units of time `t`: it is the
# memory. The softmax turns numbers into probabilities: each becomes $e^{\mathrm{net}_k}$, divided by the sum of all of
# them. So `y(t)` gives each character a probability, and the cost of the step, `C(t)`, is the cross-entropy: minus the
# logarithm of the probability that the network gave to the character that really came.
#
# **Unfolding** means writing down one copy of this network for each time step, and feeding the state of each
# copy to the next. The first copy needs a state too, `s(0)`; we choose one. The weights are random: this network has
# learned nothing yet. The cost `C` of the sentence is the sum of the costs of its steps.

# %%
cell = tg.cells.Guo(f="tanh", g="softmax")
params = cell.init(n_in=4, n_hidden=3, n_out=4, rng=1)
s0 = np.array([[0.3, -0.2, 0.1]])
net = tg.unfold(cell, params, x, d, loss="cross_entropy", reduction="sum", s0=s0)
print(net)
print(f"cost C = {net.loss:.4f}")

# %% [markdown]
# ## Forwards
#
# The library writes down everything it computes, line by line, on a **tape**. A line of it is called a **node**: one
# number, or one array. Every step below is one node and one of the equations, with the numbers it read and the numbers
# it gave. A sum over all units at once is a matrix product: in $x(2)\,V(2)^\top$ the entry $j$ is
# $\sum_i x_i(2)\,v_{ji}$. The sign ⊙ multiplies entry by entry. The entry of each result that is farthest from zero is
# worked out term by term, so that you can check it by hand. These are the steps of `t = 2`; the other four do the same
# with other numbers.

# %%
steps = list(net.steps())
forward = [step for step in steps if step.phase == "forward"]
tg.show(step for step in forward if step.t == 2 and step.op != "copy")

# %% [markdown]
# The steps we left out here are the copies themselves: `U(1) = U`, `U(2) = U`, and so on. A copy computes
# nothing. It is a place where the error of its own time step can be collected.
#
# A network that knows nothing gives each of the four characters the probability 1/4 and pays `5 ln 4`
# for the sentence. Ours is untrained, so it should not be far from that.

# %%
print(f"knowing nothing costs {5 * np.log(4):.4f}, this network pays {net.loss:.4f}")
assert abs(net.loss - 5 * np.log(4)) < 0.1
assert np.isclose(net.loss, sum(c.value for c in net.losses))

# %% [markdown]
# ## Backwards
#
# Now the error goes the same way back, from the cost at the last step to the first one. We want to know
# $\partial C / \partial z$ for every node $z$: how much the cost changes when that node does, and everything that was
# computed from it follows. In each step one node hands one of the nodes it was computed from its **share** of that
# number, by the chain rule: its own number, times the derivative of its equation. Where a node gets shares from two
# sides, they are added: look for `+=`. The state `s(t)` is such a place. One share comes from its own output `y(t)`;
# the other comes back through `U` from the next time step. That second one is backpropagation *through time*.
#
# Mind the sign. The numbers on the tape are slopes: plus where the cost would *grow*. For a unit's sum $\mathrm{net}$,
# and only for that, Guo uses the negative and calls it the error, $\delta = -\partial C / \partial \mathrm{net}$.
# Again the steps of `t = 2`: what had come to `s(2)` before is what `t = 3` sent.

# %%
backward = [step for step in steps if step.phase == "backward"]
tg.show(step for step in backward if step.t == 2 and step.op not in ("copy", "add"))

# %% [markdown]
# For a softmax with this cost, and desired values that add up to one, Guo's equation (17) says that the error of an
# output unit is simply what was desired minus what came out. The tape goes from the cost to $\mathrm{net}_k$ in one
# stride, past `y(t)`. Lesson 5 derives the equation; here we look whether the tape has the same.

# %%
assert np.all(d.sum(axis=-1) == 1)
for t in range(1, net.T + 1):
    net_k = net.outputs[t - 1].parents[0]
    assert np.allclose(tg.delta(net_k), d[t - 1] - net.outputs[t - 1].value)
print("delta_k(t) = d_k(t) - y_k(t) at every t")

# %% [markdown]
# ## The ledger of U
#
# The matrix `U` was used five times, so there are five shares. Each row of this table is the gradient of one
# copy: the derivatives of the cost with respect to its nine entries, with the other copies held still. They are slopes,
# with the plus. The row `sum` adds them up, and the last row is what the tape holds for `U` itself.

# %%
print(tg.ledger(net, "U"))
assert net.copies["U"].shape == (5, 3, 3)
assert np.allclose(net.copies["U"].sum(axis=0), net.grads["U"], rtol=0, atol=1e-14)

# %% [markdown]
# The same table on its side, below the network itself: on the page of this lesson you see it in colour, each share
# below its own column. Choose `U(3)`: the way that its error came back is lit, and beside it stand the two things
# that it is the product of, the error that came back and the state that `U(3)` multiplied. Choose an entry of the
# table, and ask "why this error?" until you stand at a cost. Tick "Ask me first" to be asked for a number before you
# see it. In a terminal, `tinygrad-rnn step --text "we see"` goes through every step, and `player.save("steps.html")`
# writes the page as one file.

# %%
player = tg.player(net, title="One sentence, copy by copy", start=("U", 2))
print(f"{len(player.trace)} steps, the last one {player.trace.moments[-1].title}")
player

# %% [markdown]
# **Why are the rows added?** The five copies are one matrix. If you change an entry of `U` by a
# little, you change it in all five places at once. Each place moves the cost by its own share, and small
# changes add up. That is all.
#
# A claim needs a check. We move one entry of `U` up and down by a millionth, run the whole sentence again
# each time, and see how much the cost moves.

# %%
j, h, step_size = 1, 0, 1e-6
costs = []
for sign in (+1, -1):
    params["U"][j, h] += sign * step_size
    costs.append(net.replay())
    params["U"][j, h] -= sign * step_size
measured = (costs[0] - costs[1]) / (2 * step_size)
net.replay()
net.backward()
print(f"measured by moving U: {measured:.9f}")
print(f"sum of the ledger:    {net.copies['U'].sum(axis=0)[j, h]:.9f}")
assert abs(measured - net.grads["U"][j, h]) < 1e-8

# %% [markdown]
# Eight digits behind the point are all that such a measurement has; lesson 2 says why.
#
# And a second witness. The package carries Guo's derivation written out by hand, in plain NumPy, with no tape and no
# graph. It has to find the same number for every copy of every weight.

# %%
by_hand = tg.guo.gradients(
    params, x, d, s0, f="tanh", g="softmax", loss="cross_entropy", reduction="sum"
)
for name in params:
    difference = np.abs(net.copies[name] - by_hand.copies[name]).max()
    print(f"{name:>3}: largest difference in any copy {difference:.1e}")
    assert difference < 1e-12

# %% [markdown]
# ## The picture
#
# Here is the whole network as the tape recorded it. Read it from left to right: one column for each time step. The
# thick line is the memory. The coloured boxes are the copies of the weights; follow a dashed line down and you find the
# one weight they all belong to. In red is what came back: the length of each copy's share stands in the
# copy, the length of their sum in the weight. The length of a table of numbers is the root of the sum of their squares.
# The line past `y(t)` is the stride of equation (17); it is why no red number stands in `y(t)`.

# %%
letters = [f"“{c}”" for c in sentence]
picture = tg.draw(net, captions={"x": letters[:-1], "d": letters[1:]})
folder = tg.new_folder("lesson-01")
for suffix in ("svg", "png"):
    print("written:", picture.save(folder / f"unrolled.{suffix}").as_posix())
picture

# %% [markdown]
# ## What it is good for
#
# The gradient points to where the cost grows. Move every weight a little against it, and the cost falls, if the step is
# small enough. This is one step of learning.

# %%
before = net.loss
for name in params:
    params[name] -= 0.1 * net.grads[name]
after = net.replay()
print(f"cost before {before:.4f}, after one step {after:.4f}")
assert after < before

# %% [markdown]
# You have seen the whole of it: copies that share their weights, errors that travel back from copy to copy, and
# shares that are added. Everything else is built from these.
