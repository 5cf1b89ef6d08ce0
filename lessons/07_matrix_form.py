# %% [markdown]
# # Learning: the matrix form
#
# * **Goal**: train a network with matrix products only, and check each copy
# * **Needs**: lesson 6, outer products
# * **Words**: matrix form, outer product, gradient descent, learning rate
#
# Letters that only this lesson has:
#
# | here | what it is | Guo | elsewhere |
# |---|---|---|---|
# | $e$ | errors as a vector, with the minus of δ: of the outputs, of the hidden units | $e_o$, $e_h$ | |
# | $F$ | function: takes what arrives at the hidden units, and multiplies it by their slopes | $d_h$ | |
# | $a$ | what has arrived at the hidden units | x, in (23) alone | |
# | $Z$ | how many copies are added to the newest one, the depth | T, in (27) and (28) | $k_2 - 1$ in lesson 11 |
# | $z$ | counts steps back from the newest one | z, and τ in (26) | lag |
#
# Everything is derived. What is missing is the network that gets better by it. Section 3.1 of Guo's report says it
# all again with vectors and matrices, in the form in which one would program it, and updates the weights. We do the
# same, and at the end the network of lesson 1 knows its sentence.
#
# ## The picture
#
# Four characters with a state of three units, unfolded over the sentence `we see`, as in lesson 1. The number in each
# copy of a weight is the length of its share, the one in the weight itself the length of their sum. Those sums are
# about to be used.

# %%
import numpy as np

import tinygrad_rnn as tg

np.set_printoptions(precision=4, suppress=True)

sentence = "we see"
alphabet = sorted(set(sentence), key=sentence.index)
rows = np.eye(len(alphabet))[[alphabet.index(c) for c in sentence]]
x, d = rows[:-1, None, :], rows[1:, None, :]
s0 = np.array([[0.3, -0.2, 0.1]])

cell = tg.cells.Guo(f="tanh", g="softmax")
params = cell.init(n_in=4, n_hidden=3, n_out=4, rng=1)
net = tg.unfold(cell, params, x, d, s0=s0)
net.backward()
letters = [f"“{c}”" for c in sentence]
tg.draw(net, overlay="cotangents", captions={"x": letters[:-1], "d": letters[1:]})

# %% [markdown]
# ## A matrix that changes its orientation
#
# There is one thing to know before you read section 3.1. Up to here a weight was stored *[to, from]*, as in $v_{ji}$.
# The equations of this section fit together only if every matrix is stored *[from, to]*. The report does not say so;
# the sizes of its outer products do. Here are all three, both ways.

# %%
stored = {name: params[name].T for name in ("V", "U", "W")}
for name, matrix in stored.items():
    print(f"{name}: [to, from] is {params[name].shape}, [from, to] is {matrix.shape}")

# %% [markdown]
# ## Equations (20) to (23)
#
# The errors become vectors: $e_\mathrm{o}$ for the outputs, $e_\mathrm{h}$ for the hidden units. Here are one step's
# equations, in the letters of the table above: the report uses some of its own for two things.
#
# $$
# \begin{aligned}
# e_\mathrm{o}(t) &= d(t) - y(t) && (20) \\
# \Delta W &= \eta\, s(t)\, e_\mathrm{o}(t)^\top && (21) \\
# e_\mathrm{h}(t) &= F\big(e_\mathrm{o}(t)^\top W^\top,\, t\big) && (22) \\
# F(a, t) &= a \odot f'(\mathrm{net}_j(t)) && (23)
# \end{aligned}
# $$
#
# You know all four of them:
#
# * (20) is (17), so it holds for the pairs of lesson 5.
# * (21) is (10), all entries together. The outer product $s\, e_\mathrm{o}^\top$ is a whole matrix: in row $j$ and
#   column $k$ it has $s_j$ times the error of output $k$. The report writes `W(t+1) = W(t) + ...`; what is added is our
#   $\Delta W$.
# * (22) and (23) are (9), cut in two. First the errors of the outputs go back through `W`, and $a$ is what arrives, a
#   number for each hidden unit. Then $F$ multiplies each of these numbers by the slope of its own unit; $\odot$ is the
#   product entry by entry. (The report prints $V$ in (22). It is $W^\top$.)

# %%
T = net.T
played = tg.guo.forward(params, x, s0, f="tanh")
y, s, net_j = played.y[:, 0], played.s[:, 0], played.net_j[:, 0]  # one sample: vectors


def F(a, t):  # (23)
    return a * (1 - np.tanh(net_j[t - 1]) ** 2)


e_o = {t: d[t - 1, 0] - y[t - 1] for t in range(1, T + 1)}  # (20)
change = {"W": np.outer(s[T], e_o[T])}  # (21)
e_h = {T: F(e_o[T] @ stored["W"].T, T)}  # (22)
net.backward(of=T)
print("(21) is a", change["W"].shape, "matrix: from 3 hidden units to 4 outputs")
assert np.allclose(change["W"].T, -net.grads["W"])
assert np.allclose(e_h[T], tg.delta(net.states[T].parents[0])[0])

# %% [markdown]
# ## Equations (24) to (28)
#
# $$
# \begin{aligned}
# \Delta V &= \eta\, x(t)\, e_\mathrm{h}(t)^\top && (24) \\
# \Delta U &= \eta\, s(t-1)\, e_\mathrm{h}(t)^\top && (25) \\
# e_\mathrm{h}(t-z-1) &= F\big(e_\mathrm{h}(t-z)^\top U^\top,\, t-z-1\big) && (26) \\
# \Delta V &= \eta \sum_{z=0}^{Z} x(t-z)\, e_\mathrm{h}(t-z)^\top && (27) \\
# \Delta U &= \eta \sum_{z=0}^{Z} s(t-z-1)\, e_\mathrm{h}(t-z)^\top && (28)
# \end{aligned}
# $$
#
# (24) and (25) are (11) and (12): the newest copy alone. (26) is (19), one step further back; the report prints it
# without the two $\top$. With it come the errors of the earlier copies, and (27) and (28) add up the copies: the
# newest, $z = 0$, and $Z$ more behind it. We go back to the first of five characters, so $Z$ is 4.

# %%
Z = T - 1
for z in range(Z):
    e_h[T - z - 1] = F(e_h[T - z] @ stored["U"].T, T - z - 1)  # (26)
change["V"] = sum(np.outer(x[T - z - 1, 0], e_h[T - z]) for z in range(Z + 1))  # (27)
change["U"] = sum(np.outer(s[T - z - 1], e_h[T - z]) for z in range(Z + 1))  # (28)
for name in ("V", "U"):
    difference = np.abs(change[name].T + net.grads[name]).max()
    print(
        f"{name}: changed by {change[name].shape} numbers, which differ from "
        f"-dC/d{name} by at most {difference:.1e}"
    )
    assert difference < 1e-14

# %% [markdown]
# All 28 equations have now been computed. From here on the tape may do it.
#
# ## One step of learning
#
# Add every weight's change to it, which is equation (6): *gradient descent*. The sentence has a cost at each
# character, so we take the gradient of their sum. `SGD` is (6) and nothing else; it changes the arrays in place. The
# letters stand for *stochastic gradient descent*: who has many sentences takes a few of them at random for each step.


# %%
def spoken():
    """What the network finds most probable after each character."""
    return "".join(
        alphabet[k] for k in np.argmax([output.value[0] for output in net.outputs], axis=1)
    )


def bar(cost):
    return "█" * round(6 * cost)


descent = tg.train.SGD(0.3)
costs, answers = [], []
for update in range(201):
    costs.append(net.replay())
    net.backward()
    answers.append(spoken())
    if update in (0, 1, 2, 5, 10, 20, 50, 100, 200):
        print(f"{update:>4}  {costs[-1]:7.4f}  “{answers[-1]}”  {bar(costs[-1])}")
    descent.step(params, net.grads)
assert costs[1] < costs[0]
assert costs[-1] < 0.1
assert answers[-1] == sentence[1:]

# %% [markdown]
# The network reads `we se` and says what comes next each time: `e see`. Look at what it has to do for it. After the
# first `e` it says a space and after the second an `e`, though the input is the same. The difference must
# be in its state.

# %%
first_e, second_e = net.states[2].value[0], net.states[5].value[0]
print("state after “we”:   ", first_e)
print("state after “we se”:", second_e)
assert np.linalg.norm(first_e - second_e) > 0.5

# %% [markdown]
# Take the memory away, and it can no longer tell them apart. The best it could do then is to give both answers one
# half, and pay $2 \ln 2$ for the two. The trained network pays less, so it must remember.

# %%
forgetful = params | {"U": np.zeros((3, 3))}
without = tg.unfold(cell, forgetful, x, d, s0=s0)
after_e = [without.outputs[t - 1].value[0] for t in (2, 5)]
print(
    f"without U the cost is {without.loss:.4f}, and both e get the same answer:",
    np.allclose(*after_e),
)
print(f"without memory at least {2 * np.log(2):.4f}, with it {costs[-1]:.4f}")
assert np.allclose(*after_e)
assert without.loss > 2 * np.log(2) > costs[-1]

# %% [markdown]
# ## A fine point: when are the weights changed?
#
# We changed them once for the whole sentence. The report writes `W(t+1) = W(t) + ...`, with the time step as the number
# of the update: it changes them after **every** character. Then each cost is that of other weights, and the states
# before it were computed with older weights than those the error goes back through. The changes of a sentence are close
# to the gradient of its cost when $\eta$ is small, and no gradient of anything when it is not. We can measure that. The
# first function below reads on and changes `U` after every character; its inner loop is (26) and (28). The second one
# keeps all weights still.


# %%
def update_by_update(eta, steps=T):
    """Read so many steps, changing U by (28) after every one; return the change of U,
    divided by eta."""
    start = cell.init(n_in=4, n_hidden=3, n_out=4, rng=1)
    U, states, sums, before = start["U"].copy(), [s0], [], start["U"].copy()
    for t in range(1, steps + 1):
        sums.append(x[t - 1] @ start["V"].T + states[-1] @ U.T + start["b_j"])
        states.append(np.tanh(sums[-1]))
        out = tg.guo.activation("softmax", states[-1] @ start["W"].T + start["b_k"])
        error, change = (d[t - 1] - out) @ start["W"], np.zeros_like(U)
        for back in range(t, 0, -1):
            error = error * (1 - np.tanh(sums[back - 1]) ** 2)
            change += error.T @ states[back - 1]
            error = error @ U
        U = U + eta * change
    return (U - before) / eta


def frozen_weights(steps=T):
    """The same sum of changes, with weights that stay as they are: minus the gradient."""
    start = cell.init(n_in=4, n_hidden=3, n_out=4, rng=1)
    return -tg.guo.gradients(start, x[:steps], d[:steps], s0, f="tanh").grads["U"]


frozen = frozen_weights()
off = {}
for eta in (1.0, 0.1, 0.01, 0.001):
    off[eta] = np.linalg.norm(update_by_update(eta) - frozen) / np.linalg.norm(frozen)
    print(
        f"eta = {eta:<6} the changes after every step differ from the gradient by "
        f"{100 * off[eta]:7.3f} %"
    )
assert off[1.0] > off[0.1] > off[0.01] > off[0.001]
assert abs(off[0.01] / off[0.001] - 10) < 0.5
assert np.allclose(update_by_update(1.0, steps=1), frozen_weights(1), rtol=0, atol=1e-14)

# %% [markdown]
# Ten times smaller steps, ten times smaller difference. (With a single step there is none, whatever $\eta$ is: nothing
# has been changed yet.) While you **check** a gradient, keep the weights still.
#
# Several times now we have said: the report prints something else here. The next lesson collects these places, and
# measures them.
