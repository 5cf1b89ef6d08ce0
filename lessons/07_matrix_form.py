# %% [markdown]
# # Learning: the matrix form
#
# * **Goal**: train a network with matrix products only, and check each copy
# * **Needs**: lesson 6, outer products
# * **Words**: matrix form, outer product, gradient descent, learning rate
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
# The errors become vectors: $e_o$ for the outputs, $e_h$ for the hidden units.
#
# $$
# \begin{aligned}
# e_o(t) &= d(t) - y(t) && (20) \\
# W(t+1) &= W(t) + \eta\, s(t)\, e_o(t)^\top && (21) \\
# e_h(t) &= d_h\big(e_o(t)^\top W^\top, t\big) && (22) \\
# d_{hj}(x, t) &= x\, f'(\mathrm{net}_j) && (23)
# \end{aligned}
# $$
#
# (20) is (17), so it holds for the pairs of lesson 5. An outer product $s\, e_o^\top$ is a whole matrix at once: in row
# $j$ and column $k$ it has $s_j$ times the error of $k$. It is equation (10), all entries together. Equation (22) is
# (9). The report prints $V$ in it; it is $W^\top$.
#
# Two letters mean something else in (23). Its $x$ is not the input and its $d_h$ is no desired value: $d_h$ is a
# function that takes what has arrived at the hidden units, and multiplies entry $j$ by $f'(\mathrm{net}_j(t))$. What
# arrives is a row, and what comes out is used as a column from here on; in NumPy a vector is neither, and we need not
# care.

# %%
T = net.T
played = tg.guo.forward(params, x, s0, f="tanh")
y, s, net_j = played.y[:, 0], played.s[:, 0], played.net_j[:, 0]  # one sample: vectors


def d_h(error, t):  # (23)
    return error * (1 - np.tanh(net_j[t - 1]) ** 2)


e_o = {t: d[t - 1, 0] - y[t - 1] for t in range(1, T + 1)}  # (20)
change = {"W": np.outer(s[T], e_o[T])}  # (21)
e_h = {T: d_h(e_o[T] @ stored["W"].T, T)}  # (22)
net.backward(of=T)
print("(21) is a", change["W"].shape, "matrix: from 3 hidden units to 4 outputs")
assert np.allclose(change["W"].T, -net.grads["W"])
assert np.allclose(e_h[T], tg.delta(net.states[T].parents[0])[0])

# %% [markdown]
# ## Equations (24) to (28)
#
# $$
# \begin{aligned}
# V(t+1) &= V(t) + \eta\, x(t)\, e_h(t)^\top && (24) \\
# U(t+1) &= U(t) + \eta\, s(t-1)\, e_h(t)^\top && (25) \\
# e_h(t-\tau-1) &= d_h\big(e_h(t-\tau)^\top U^\top, t-\tau-1\big) && (26) \\
# V(t+1) &= V(t) + \eta \sum_{z=0}^{T} x(t-z)\, e_h(t-z)^\top && (27) \\
# U(t+1) &= U(t) + \eta \sum_{z=0}^{T} s(t-z-1)\, e_h(t-z)^\top && (28)
# \end{aligned}
# $$
#
# (24) and (25) are the first term of the sums in (27) and (28), the copy at $z = 0$. (26) is (19); the report prints
# it without the two $\top$. The $T$ in the sums counts the **extra** copies; ours goes back to the first character, so
# $T$ is 4 for five steps.

# %%
for tau in range(T - 1):
    e_h[T - tau - 1] = d_h(e_h[T - tau] @ stored["U"].T, T - tau - 1)  # (26)
extra = T - 1
change["V"] = sum(np.outer(x[T - z - 1, 0], e_h[T - z]) for z in range(extra + 1))  # (27)
change["U"] = sum(np.outer(s[T - z - 1], e_h[T - z]) for z in range(extra + 1))  # (28)
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
# We changed them once for the whole sentence. The report writes $W(t+1) = W(t) + \ldots$, with the time step as
# the number of the update: it changes them after **every** character. Then each cost is that of other weights, and the
# states before it were computed with older weights than those the error goes back through. The changes of a sentence
# are close to the gradient of its cost when $\eta$ is small, and no gradient of anything when it is not. We can
# measure that.


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
