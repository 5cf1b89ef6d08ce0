# %% [markdown]
# # Ten misprints: the errata
#
# * **Goal**: find a misprint by measuring
# * **Needs**: lessons 5, 6 and 7
# * **Words**: errata, misprint, measured slope, finite differences
#
# Letters that only this lesson has:
#
# | here | what it is | Guo | elsewhere |
# |---|---|---|---|
# | $Z$ | how many copies are added to the newest one, the depth | τ in his text, T in his sums | $k_2 - 1$ |
# | $z$ | counts steps back from the newest one | z in (27) and (28), τ in (26) | lag |
#
# Guo's report is good, and we have found ten slips in it. Most are slips of the pen. E2, E3 and E4 are one mistaken
# claim and what follows from it, and E9 is a count that one can take in two ways. What matters is to be able to find
# them, and for that reading is not enough: a formula with a misprint looks like a formula.
#
# So we play detective. For every equation there is a second witness who has never read it: **move a number, play
# the network again, and see what the cost does**. In this lesson each misprint is switched on, alone, and we measure
# what it does. `tinygrad_rnn.guo` has them all, as printed and as corrected.
#
# ## The picture
#
# The whole network on which they are tried out: four steps, five hidden units, a cost at every step, a `U`
# that is not symmetric and a state at the start that is not zero. On an easier network, some misprints would not show.

# %%
import textwrap

import numpy as np

import tinygrad_rnn as tg

T, n, l, m, o = 4, 1, 2, 5, 3
rng = np.random.default_rng(5)
params = {
    "V": rng.normal(size=(m, l)),
    "U": rng.normal(size=(m, m)),
    "W": rng.normal(size=(o, m)),
    "b_j": rng.normal(size=m),
    "b_k": rng.normal(size=o),
}
x, s0 = rng.normal(size=(T, n, l)), rng.normal(size=(n, m))
d = rng.dirichlet(np.ones(o), size=(T, n))  # desired values that add up to one
cell = tg.cells.Guo(f="tanh", g="softmax")
net = tg.unfold(cell, params, x, d, s0=s0)
net.backward()
tg.draw(net)

# %% [markdown]
# ## The witness
#
# Errors are slopes: how the cost changes when a `net` is moved. So we build a network whose sums can be moved, and
# measure. This knows nothing of deltas, transposes and tapes.

# %%
squared, two_terms = tg.guo.squared_error, tg.guo.two_term_cross_entropy
one_term = tg.guo.categorical_cross_entropy


def slopes(cost_of_moved, like, push=1e-5):
    """-dC/d(what is moved), entry by entry."""
    error = np.zeros_like(like)
    for at in np.ndindex(like.shape):
        move = np.zeros_like(like)
        move[at] = push
        error[at] = -(cost_of_moved(move) - cost_of_moved(-move)) / (2 * push)
    return error


def play(move_j, U):
    """The whole cost, when the sums of the hidden units are moved."""
    s, total = s0, 0.0
    for t in range(T):
        s = np.tanh(tg.guo.net_hidden(x[t], s, params["V"], U, params["b_j"]) + move_j[t])
        y = tg.guo.activation("softmax", tg.guo.net_output(s, params["W"], params["b_k"]))
        total += one_term(y, d[t])
    return total


played = tg.guo.forward(params, x, s0, f="tanh")
y, net_k, net_j, s = played.y, played.net_k, played.net_j, played.s
measured_j = slopes(lambda move: play(move, params["U"]), net_j)
print("the measured errors and the tape's differ by at most", end=" ")
on_tape = np.array([tg.delta(net.states[t].parents[0]) for t in range(1, T + 1)])
print(f"{np.abs(measured_j - on_tape).max():.0e}")
assert np.allclose(measured_j, on_tape, atol=1e-8)


def off(got, truth):
    """How far a result is from the truth, as a part of the truth's length."""
    return np.linalg.norm(got - truth) / np.linalg.norm(truth)


found = {}


def verdict(key, printed, corrected):
    found[key] = printed
    print(f"{key} as printed: off by {100 * printed:6.2f} %")
    print(f"{key} corrected:  off by {100 * corrected:6.2f} %")
    assert printed > 0.05
    assert corrected < 1e-6


# %% [markdown]
# ## E1: an index in (12)
#
# The change of $U$ is printed with the indices $ji$. But $i$ counts inputs, and the right side has a $j$ and an $h$.
# Nobody will compute this wrongly, but somebody who takes it by its word makes a matrix of the wrong shape.

# %%
by_word, by_sense = (m, l), (m, m)
print("u_ji would be", by_word, "and u_jh is", by_sense)
assert params["U"].shape == by_sense
assert by_word != by_sense

# %% [markdown]
# ## E2: the derivative of the softmax
#
# The text below (15) says that $g' = y(1-y)$ holds for the softmax as well. It is only the diagonal of a table: every
# output moves when any sum moves.

# %%
push = 1e-5
jacobian = np.stack(
    [
        (
            tg.guo.activation("softmax", net_k + push * one)
            - tg.guo.activation("softmax", net_k - push * one)
        )
        / (2 * push)
        for one in np.eye(o)
    ],
    axis=-1,
)
verdict(
    "E2",
    off(tg.guo.softmax_jacobian_as_printed(y), jacobian),
    off(tg.guo.softmax_jacobian(y), jacobian),
)

# %% [markdown]
# ## E3: $d - y$, from the wrong cost
#
# (17) is said to follow from (16) with the softmax. It follows from (16) with the *sigmoid*, or with the softmax from
# another cost, $-\sum d \ln y$, and desired values that add up to one, as ours do.


# %%
def of_output(loss):
    return slopes(
        lambda move: loss(tg.guo.activation("softmax", net_k + move), d).sum(), net_k
    )


truth = of_output(two_terms)
verdict(
    "E3",
    off(tg.guo.output_error_two_term_softmax_as_printed(y, d), truth),
    off(tg.guo.output_error_two_term_softmax(y, d), truth),
)
assert np.allclose(of_output(one_term), d - y, atol=1e-8)

# %% [markdown]
# ## E4: one term where a sum belongs
#
# (8) has one term for each output. With a softmax every output depends on $\mathrm{net}_k$, so there is a sum over
# all of them. This is E2, put to use.

# %%
truth = of_output(squared)
verdict(
    "E4",
    off(tg.guo.output_error_squared_softmax_as_printed(y, d), truth),
    off(tg.guo.output_error_squared(y, d, "softmax"), truth),
)

# %% [markdown]
# ## E5: where the derivative is taken
#
# (19) prints $f'(s_{pj}(t-1))$. It belongs at $\mathrm{net}_{pj}(t-1)$. To see what that does, we let one whole sweep
# run with the printed step, and then with the corrected one.


# %%
def sweep(step, U):
    """The errors of all hidden units; `step` carries one back to the row before it."""
    errors, later = np.zeros_like(net_j), None
    for row in reversed(range(T)):
        errors[row] = tg.guo.hidden_error((d - y)[row], params["W"], net_j[row], "tanh")
        if later is not None:
            errors[row] += step(later, U, row)
        later = errors[row]
    return errors


def corrected(later, U, row):
    return tg.guo.hidden_error_before(later, U, net_j[row], "tanh")


def eq19_printed(later, U, row):
    return tg.guo.hidden_error_before_eq19_as_printed(later, U, s[row + 1], "tanh")


U = params["U"]
verdict("E5", off(sweep(eq19_printed, U), measured_j), off(sweep(corrected, U), measured_j))

# %% [markdown]
# There is a reading that saves it: if $f'$ means *the derivative, written with the value* $s$, as in (14), then it is
# right. For our tanh that is $1 - s^2$, for the sigmoid $s (1 - s)$.


# %%
def eq19_rescued(later, U, row):
    return (later @ U) * tg.guo.derivative_from_value("tanh", s[row + 1])


print(f"E5 read with 1 - s²: off by {100 * off(sweep(eq19_rescued, U), measured_j):.0e} %")
assert off(sweep(eq19_rescued, U), measured_j) < 1e-8

# %% [markdown]
# ## E6: the wrong matrix
#
# (22) carries the error of the outputs back through $V$. But $V$ begins at the input; the outputs were fed through $W$.
# In Mikolov's thesis (2012), where an equation of the same form stands, $V$ is the matrix to the outputs: the letter
# was probably left over. Usually the shapes save you.

# %% tags=["prose"]
delta_k = d - y
try:
    tg.guo.hidden_error_as_printed(delta_k[-1], params["V"], net_j[-1], "tanh")
except ValueError as error:
    print(error)
else:
    raise AssertionError("with two inputs and three outputs, (22) as printed has no meaning")

# %% [markdown]
# They do not save you when there are as many inputs as outputs. That is so whenever a network predicts its own next
# input, as in lesson 1. Then (22) as printed runs without complaint:

# %%
V_three = rng.normal(size=(m, o))
truth = slopes(
    lambda move: one_term(
        tg.guo.activation(
            "softmax", tg.guo.net_output(np.tanh(net_j[-1] + move), params["W"], params["b_k"])
        ),
        d[-1],
    ),
    net_j[-1],
)
verdict(
    "E6",
    off(tg.guo.hidden_error_as_printed(delta_k[-1], V_three, net_j[-1], "tanh"), truth),
    off(tg.guo.hidden_error(delta_k[-1], params["W"], net_j[-1], "tanh"), truth),
)

# %% [markdown]
# ## E7: transposes that are missing
#
# (26) carries the error from one step to the one before through $U$, where $U^\top$ belongs in the storage of (28).
# It is the most dangerous of the ten: `U` is square, so no shape complains.


# %%
def eq26_printed(later, U, row):
    return tg.guo.hidden_error_before_eq26_as_printed(later, U, net_j[row], "tanh")


verdict("E7", off(sweep(eq26_printed, U), measured_j), off(sweep(corrected, U), measured_j))

# %% [markdown]
# A test with a symmetric `U` would never have found it:

# %%
symmetric = U + U.T
played = tg.guo.forward(params | {"U": symmetric}, x, s0, f="tanh")
y, net_j, s = played.y, played.net_j, played.s
truth = slopes(lambda move: play(move, symmetric), net_j)
print(
    f"E7 with a symmetric U: off by {100 * off(sweep(eq26_printed, symmetric), truth):.0e} %"
)
assert off(sweep(eq26_printed, symmetric), truth) < 1e-6

# %% [markdown]
# ## E9: how many copies?
#
# How far back do the sums in (27) and (28) go? In our letters they run from $z = 0$, the newest copy, to $z = Z$.
# Count: from 0 to $Z$ there are $Z + 1$ copies. With $Z = 2$ there are three, as in the report's Figure 2.
#
# The report has no letter of its own for this number. Its text calls it “τ”, and its (27) and (28) call it “T”, the
# letter that everybody else has for the number of steps. Who takes that for the number of copies stops one copy too
# early, and leaves the oldest one out. That changes the gradient:

# %%
Z = 2
cost_at = T
right = tg.guo.gradients_of_one_cost(params, x, d, s0, t=cost_at, depth=Z, f="tanh")
one_less = tg.guo.gradients_of_one_cost(params, x, d, s0, t=cost_at, depth=Z - 1, f="tanh")
copies = [sum(np.any(g.copies["U"], axis=(1, 2))) for g in (right, one_less)]
found["E9"] = off(one_less.grads["U"], right.grads["U"])
print(
    f"Z = {Z}: {copies[0]} copies; with one less, "
    f"dC({cost_at})/dU is off by {100 * found['E9']:.2f} %"
)
assert copies == [Z + 1, Z]
assert found["E9"] > 0.001

# %% [markdown]
# ## E8 and E10: words
#
# Two slips are in the text and change no number: the sentence before (25) calls the recurrent weight $W$, and section 4
# spells out BPTS with *Through Time*, where it is *Through Structure*.

# %%
for key in ("E8", "E10"):
    print(f"{key}: {tg.guo.ERRATA[key]}")

# %% [markdown]
# ## All ten

# %%
words = {"E1", "E8", "E10"}
for key, text in tg.guo.ERRATA.items():
    print(f"{key:>3}  {'words only' if key in words else f'{100 * found[key]:8.2f} %'}")
    print(textwrap.fill(text, 72, initial_indent="     ", subsequent_indent="     "))
assert words | set(found) == set(tg.guo.ERRATA)

# %% [markdown]
# Three more things are not misprints and still traps. The report leaves the biases out of training; lesson 5 has filled
# them in. It turns its matrices over between sections 3 and 3.1 without a word, and it counts updates with the letter
# of the time step; lesson 7 has shown both.
#
# What finds such mistakes is always the same. Measure. Let the sizes all differ, let $U$ not be symmetric, start from a
# state that is not zero, go back several steps. And look at **every copy**, not only at their sum: mistakes can
# cancel in a sum. Here are the shares of `U`, filed under the wrong time steps.

# %%
shares = net.copies["U"]
backwards = shares[::-1]
print(f"the copies are off by {100 * off(backwards, shares):.2f} %", end=", ")
print(f"their sum by {100 * off(backwards.sum(axis=0), shares.sum(axis=0)):.2f} %")
assert off(backwards, shares) > 0.05
assert off(backwards.sum(axis=0), shares.sum(axis=0)) < 1e-12

# %% [markdown]
# In a sum? Why a sum at all? That question has been with us since lesson 1. It gets a lesson of its own.
