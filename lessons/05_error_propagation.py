# %% [markdown]
# # Who is to blame? Error propagation
#
# * **Goal**: write (8) to (12) from memory, and say when $\delta = d - y$
# * **Needs**: lesson 4, partial derivatives
# * **Words**: backpropagation, delta, softmax, cross-entropy, squared error, bias
#
# Letters that only this lesson has:
#
# | here | what it is | Guo | elsewhere |
# |---|---|---|---|
# | $q$ | counts outputs, where a formula needs a second letter for them | q | |
# | $S$ | what the desired values of a step add up to | | |
#
# The network of lesson 4 gives an answer and we know what the answer should have been. Section 2 of Guo's report
# asks each unit and each weight: how much of this is your doing?
#
# There is no time in this lesson. The network reads one input, gives one output, and its previous state is simply
# there. That is not the whole truth, and the next lesson begins with what it costs.
#
# ## The picture
#
# One step, three inputs, four hidden units, five outputs. Black is what went up, red is what comes down. The red
# numbers are slopes, with the plus; Guo's errors will be their negatives.

# %%
import numpy as np

import tinygrad_rnn as tg

np.set_printoptions(precision=4, suppress=True)

rng = np.random.default_rng(5)
n, l, m, o = 1, 3, 4, 5
x, s_before = rng.normal(size=(1, n, l)), rng.normal(size=(n, m))
d = rng.uniform(0.1, 0.9, size=(1, n, o))
cell = tg.cells.Guo(f="tanh", g="sigmoid")
sizes = cell.init(l, m, o, rng=rng)
params = {name: rng.normal(size=w.shape) for name, w in sizes.items()}

net = tg.unfold(cell, params, x, d, loss="squared_error", s0=s_before)
net.backward()
tg.draw(net)

# %% [markdown]
# ## Equations (5) to (7): a cost, a step, and the idea
#
# The cost is half the squared distance between what came out and what was desired, over all samples and outputs:
#
# $$
# C = \frac{1}{2} \sum_p^n \sum_k^o (d_{pk} - y_{pk})^2 \tag{5}
# $$
#
# Each weight is moved against its gradient, by a step of size $\eta$:
#
# $$
# \Delta(w) = -\eta \frac{\partial C}{\partial w} \tag{6}
# $$
#
# And here is the idea that everything hangs on. In one step, a weight acts on the cost through one thing only: the sum
# $\mathrm{net}$ that it feeds. So the chain rule splits there:
#
# $$
# \Delta(w) = -\eta\, \frac{\partial C}{\partial \mathrm{net}}\, \frac{\partial \mathrm{net}}{\partial w},
# \qquad \delta = -\frac{\partial C}{\partial \mathrm{net}} \tag{7}
# $$
#
# $\delta$ is called the **error** of the unit. Mind the minus: a positive error means that the cost would have been
# smaller, *had your sum been a little larger*. Each unit has one error. Once it is known, every weight that leads into
# the unit is easy.

# %%
y = net.outputs[0].value
by_hand = 0.5 * ((d[0] - y) ** 2).sum()
print(f"C by (5) = {by_hand:.6f}, on the tape {net.loss:.6f}")
assert np.isclose(by_hand, net.loss)

# %% [markdown]
# ## Equation (8): the error of an output unit
#
# $$
# \delta_{pk} = (d_{pk} - y_{pk})\, g'(\mathrm{net}_{pk}) \tag{8}
# $$
#
# Two factors: how far off the output is, and how much the output follows its sum. For the logistic sigmoid,
# equation (13), the second one can be written with the output alone, which is equation (14):
#
# $$
# y = \frac{1}{1 + e^{-\mathrm{net}}} \tag{13}
# $$
#
# $$
# g'(\mathrm{net}) = y (1 - y) \tag{14}
# $$

# %%
net_k, net_j = net.outputs[0].parents[0], net.states[1].parents[0]
delta_k = (d[0] - y) * y * (1 - y)
print("delta_k by (8):    ", delta_k[0])
print("delta_k on the tape:", tg.delta(net_k)[0])
assert np.allclose(delta_k, tg.delta(net_k))

# %% [markdown]
# Is the sign right? An output that came out too small must have a positive error.

# %%
assert np.all((delta_k > 0) == (y < d[0]))

# %% [markdown]
# ## Equation (9): the error of a hidden unit
#
# Nobody says what a hidden unit should have been. It is asked through those it feeds:
#
# $$
# \delta_{pj} = \Big( \sum_k^o \delta_{pk}\, w_{kj} \Big) f'(\mathrm{net}_{pj}) \tag{9}
# $$
#
# Every output unit sends its error back along the weight by which it was fed, and here they are **added**. It is the
# rule of lesson 2: $s_j$ is read by all outputs, so it gets a share from each. The sum runs over the *first* index of
# $w_{kj}$, so this time the matrix is not turned over: `delta_k @ W`.

# %%
W, V, U = params["W"], params["V"], params["U"]
delta_j = (delta_k @ W) * (1 - np.tanh(net_j.value) ** 2)
print("delta_j by (9):     ", delta_j[0])
print("delta_j on the tape:", tg.delta(net_j)[0])
assert np.allclose(delta_j, tg.delta(net_j))

# %% [markdown]
# ## Equations (10) to (12): the weights
#
# What is left of (7) is $\partial\mathrm{net}/\partial w$, and that is just what stands at the other end of the weight.
# So all weights follow one rule: **the error at its head times the value at its tail**.
#
# $$
# \Delta w_{kj} = \eta \sum_p \delta_{pk}\, s_{pj}, \qquad
# \Delta v_{ji} = \eta \sum_p \delta_{pj}\, x_{pi}, \qquad
# \Delta u_{jh} = \eta \sum_p \delta_{pj}\, s_{ph}(t-1)
# $$
#
# (The report prints $\Delta u_{ji}$ in the last one. Lesson 8 collects such places.)

# %%
eta = 1.0
changes = {
    "W": eta * delta_k.T @ net.states[1].value,  # (10)
    "V": eta * delta_j.T @ x[0],  # (11)
    "U": eta * delta_j.T @ s_before,  # (12)
}
for name, change in changes.items():
    difference = np.abs(change + eta * net.grads[name]).max()
    print(
        f"{name}: change {change.shape}, differs from -dC/d{name} by at most {difference:.1e}"
    )
    assert difference < 1e-14

# %% [markdown]
# On the page of this lesson you can try the rule on every entry: the rows of the table are the error at the head, its
# columns the value at the tail, and each cell is their product. (The tape's slopes have the plus, so the error there is
# $-\delta$.) "why this error?" leads to (9), and from there to (8).

# %%
tg.player(
    net, title="The error at the head times the value at the tail", start=("W", 1), ops=False
)

# %% [markdown]
# The report leaves the biases out. They follow the same rule: the value at the tail of a bias is 1, so its change is
# the error itself, added over the samples. We have only one sample here. Two of them, side by side, have the **sum** of
# their gradients, not the mean: (5) adds.

# %%
assert np.allclose(delta_k.sum(axis=0), -net.grads["b_k"])
assert np.allclose(delta_j.sum(axis=0), -net.grads["b_j"])

x_2, d_2, before_2 = (
    rng.normal(size=x.shape),
    rng.uniform(0.1, 0.9, size=d.shape),
    rng.normal(size=s_before.shape),
)
second = tg.unfold(cell, params, x_2, d_2, loss="squared_error", s0=before_2)
both = tg.unfold(
    cell,
    params,
    np.concatenate([x, x_2], axis=1),
    np.concatenate([d, d_2], axis=1),
    loss="squared_error",
    s0=np.concatenate([s_before, before_2]),
    batch_first=False,  # one time step, two samples
)
second.backward()
both.backward()
for name in params:
    assert np.allclose(
        both.grads[name], net.grads[name] + second.grads[name], rtol=0, atol=1e-14
    )
print(f"C of both: {both.loss:.4f} = {net.loss:.4f} + {second.loss:.4f}")

# %% [markdown]
# ## A unit that is wrong and does not learn
#
# Look at (8) again. Let an output unit be as wrong as it can be, and see what error it gets.

# %%
print(" net      y    d    error by (8)")
told = []
for value in (0.0, -2.0, -5.0, -10.0):
    out = 1 / (1 + np.exp(-value))
    told.append((1 - out) * out * (1 - out))
    print(f"{value:4.0f}  {out:.5f}  1   {told[-1]:.6f}")
assert told == sorted(told, reverse=True)
worst = 1 / (1 + np.exp(10.0))
assert (1 - worst) * worst * (1 - worst) < 1e-4

# %% [markdown]
# From row to row it is more wrong, and it is told *less* to change: $g'$ is almost zero out there. The cure is in
# section 2.2. Choose the cost so that $g'$ cancels.
#
# ## Equations (16) and (17): the cost that fits
#
# The cross-entropy treats an output as a probability, and the cost is minus the logarithm of the probability that was
# given to what is right:
#
# $$
# C = -\sum_p \sum_k \left[ d_{pk} \ln y_{pk} + (1 - d_{pk}) \ln (1 - y_{pk}) \right] \tag{16}
# $$
#
# (The report prints no bracket. Both terms are summed.) Its derivative with respect to $y$ has $y(1-y)$ below the line,
# (8) has it above, and what is left is
#
# $$
# \delta_{pk} = d_{pk} - y_{pk} \tag{17}
# $$
#
# How wrong you are is how much you are told to change. Equation (18) puts this into (10), and nothing else is new.
# Do not believe the cancelling: move each $\mathrm{net}_k$ a little and see what the cost does.


# %%
def error_at_output(g, loss, desired):
    """The measured error: -dC/dnet_k, by moving each output's sum; and the output."""

    def cost(sums):
        return loss(tg.guo.activation(g, sums), desired[0])

    sums, delta = net_k.value, np.zeros_like(net_k.value)
    for at in np.ndindex(sums.shape):
        push = np.zeros_like(sums)
        push[at] = 1e-5
        delta[at] = -(cost(sums + push) - cost(sums - push)) / 2e-5
    return delta, tg.guo.activation(g, sums)


squared, two_terms = tg.guo.squared_error, tg.guo.two_term_cross_entropy
one_term = tg.guo.categorical_cross_entropy
measured, out = error_at_output("sigmoid", two_terms, d)
print("measured:", measured[0])
print("d - y:   ", (d[0] - out)[0])
assert np.allclose(measured, d[0] - out, atol=1e-8)
print(
    f"the unit above at net = -10: error {(1 - worst) * worst * (1 - worst):.6f} by (8), "
    f"{1 - worst:.6f} by (17)"
)

# %% [markdown]
# ## Equation (15), and where (17) is not so
#
# When exactly one of the outputs is right, they should be probabilities that add up to one. That is the softmax:
#
# $$
# y_k = g(\mathrm{net}_k) = \frac{e^{\mathrm{net}_k}}{\sum_q e^{\mathrm{net}_q}} \tag{15}
# $$
#
# It differs from the sigmoid in one way that matters: every output depends on **every** sum. Push one $\mathrm{net}_k$
# up, and $y_k$ grows, but all the other outputs must shrink, because together they are one. (8) looks at $y_k$ alone.
# It does not see what the push does to the other outputs, so it cannot be the whole error here.
#
# The report says that (14) and (17) hold for the softmax as well. Do they? We ask the same question of several pairs of
# a $g$ and a cost: is the measured error $d - y$? Each row below is such a pair. Its number says how far $d - y$ is
# from the measured error, in per cent of the measured error. (Of both we take the largest entry.) So 0 % means: (17)
# holds for this pair. More than 100 % means that $d - y$ is wrong by more than the whole error is long.

# %%
one_right = d / d.sum(axis=-1, keepdims=True)  # adds up to 1
two_right = 2 * one_right  # adds up to 2
cases = [
    ("sigmoid", "(16), two terms", two_terms, d),
    ("softmax", "-sum d ln y", one_term, one_right),
    ("identity", "(5), squared", squared, d),
    ("sigmoid", "(5), squared", squared, d),
    ("softmax", "(16), two terms", two_terms, one_right),
    ("softmax", "(5), squared", squared, one_right),
    ("softmax", "-sum d ln y, sum d = 2", one_term, two_right),
]
off = {}
for g, name, loss, desired in cases:
    measured, out = error_at_output(g, loss, desired)
    off[g, name] = np.abs(measured - (desired[0] - out)).max() / np.abs(measured).max()
    print(f"{g:<8}  {name:<24} delta differs from d - y by {100 * off[g, name]:6.1f} %")
assert [error < 1e-6 for error in off.values()] == [
    True,
    True,
    True,
    False,
    False,
    False,
    False,
]
assert all(error > 0.05 for error in list(off.values())[3:])

# %% [markdown]
# Three pairs fit, four do not. So (17) is not a law, it is a property of a **pair**: the sigmoid with the two-term
# cost, the softmax with $-\sum d \ln y$ and desired values that add up to one, or the outputs left as they are, $y =
# \mathrm{net}$, with the squared error, where there is no $g'$ to get rid of. What holds in the other cases:
#
# * with the sigmoid and the squared error, equation (8);
# * with the softmax, the full table of derivatives (its *Jacobian*),
#   $\partial y_q / \partial \mathrm{net}_k = y_q ([q = k] - y_k)$, and a sum over all outputs $q$. Here $[q = k]$ is 1
#   if $q = k$ and 0 if not;
# * with the softmax, $-\sum d \ln y$ and desired values that add up to $S$, $\delta = d - S\,y$.
#
# Where does the last one come from? For this cost, $-\partial C / \partial y_q = d_q / y_q$: so much does the cost fall
# when output $q$ grows. And the table says how much output $q$ grows when $\mathrm{net}_k$ does. Multiply the two, and
# add over all outputs $q$, for all of them are moved. The factor $y_q$ cancels, and $[q = k]$ leaves one term of the
# first sum:
#
# $$
# \delta_k = \sum_q y_q ([q = k] - y_k)\, \frac{d_q}{y_q} = d_k - y_k \sum_q d_q
# $$
#
# With desired values that add up to one, this is $d_k - y_k$: what lesson 1 found.

# %%
measured, out = error_at_output("softmax", squared, one_right)
jacobian = out[0][:, None] * (np.eye(o) - out[0][None, :])  # [q, k]
by_sum = (one_right[0] - out) @ jacobian
print("measured:         ", measured[0])
print("by the sum over q:", by_sum[0])
assert np.allclose(by_sum, measured, atol=1e-8)

measured, out = error_at_output("softmax", one_term, two_right)
assert np.allclose(two_right[0] - 2 * out, measured, atol=1e-8)

# %% [markdown]
# In the library you never have to remember this. The tape goes back through what was computed, whatever pair you
# choose.
#
# We now have the error of every unit and the change of every weight, for **one** step. Is it the gradient of a
# recurrent network? In (12) the previous state stood there as a fixed number. But somebody computed it, one step
# earlier, with the same `U`.
