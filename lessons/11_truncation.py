# %% [markdown]
# # Not all the way back: truncation
#
# * **Goal**: draw what a truncation leaves out, and tell its recipes apart
# * **Needs**: lesson 10
# * **Words**: truncation, truncated backpropagation, k1 and k2, window, stateful
#
# Letters that only this lesson has:
#
# | here | what it is | Guo | elsewhere |
# |---|---|---|---|
# | $k_1$ | how many steps from one window to the next | 1 | h' in Williams and Peng, 1 in Wikipedia's loop |
# | $k_2$ | how many copies a window goes back over | $T + 1$ | h in Williams and Peng, k in Wikipedia's loop |
#
# A weather station has been sending numbers for three years. To learn from today's error by going all the way back, you
# would have to keep three years of states, and walk through all of them, every day. And lesson 10 has shown what you
# would find there: next to nothing.
#
# So people stop early. This is called **truncated** backpropagation through time. There are half a dozen recipes of
# that name, and they do not compute the same thing. We now have a table on which each of them can be drawn.
#
# ## The picture
#
# Seven steps, a box for each layer. Before step 3 the way back is cut; scissors stand on the line. The state goes on as
# before: nothing has changed forwards. But whatever is paid from step 3 on reaches no copy before it. In red stands
# what arrives from all costs together, as in lesson 6: the numbers in a state, the length in a copy.

# %%
import warnings

import numpy as np

import tinygrad_rnn as tg

T, n, l, m, o = 7, 1, 4, 3, 2
rng = np.random.default_rng(13)
x, s0 = rng.normal(size=(T, n, l)), rng.normal(size=(n, m))
d = np.eye(o)[rng.integers(o, size=(T, n))]
cell = tg.cells.Guo(f="tanh", g="softmax")
params = {
    name: 0.8 * rng.normal(size=w.shape) for name, w in cell.init(l, m, o, rng=rng).items()
}
net = tg.unfold(cell, params, x, d, s0=s0)
net.backward()
full, whole_cost = net.grads["U"].copy(), net.loss

tg.cut(net, 3)
net.backward()
tg.draw(net, overlay="cotangents", level="layers")

# %% [markdown]
# ## A cut is a mask
#
# In the table of influences, the cut removes a rectangle: the costs from 3 on, and the copies before 3. What is left is
# marked 1, and the gradient of the network that was cut is the sum of what is left.
#
# $$
# \text{gradient with the cut} = \sum_{t, \tau} \mathrm{mask}[t, \tau]\, G[t, \tau]
# $$

# %%
G = tg.influence(net, "U")
at = np.arange(1, T + 1)
mask = np.tril(np.ones((T, T), int))
mask[np.ix_(at >= 3, at < 3)] = 0  # the rows from 3 on, in the columns before 3


def show(mask):
    """Rows are costs, columns are copies: how often an entry is counted, a dot where it is
    left out."""
    for row, t in zip(mask, at, strict=True):
        print(f"   C({t})  " + " ".join(str(count) if count else "." for count in row[:t]))


def masked(mask):
    """The sum over t and tau."""
    return np.tensordot(mask, G, axes=2)


def off(gradient):
    """How far off a gradient is, as a part of the right one's length."""
    return np.linalg.norm(gradient - full) / np.linalg.norm(full)


show(mask)
print(f"the cut loses {100 * off(net.grads['U']):.1f} % of the gradient")
assert np.allclose(net.grads["U"], masked(mask), rtol=0, atol=1e-14)
assert np.isclose(net.loss, whole_cost)
assert off(net.grads["U"]) > 0.001

# %% [markdown]
# Copy by copy: on the left of each pair of tiles what it should give, pale, on the right what the cut leaves. The
# copies before the cut lose what the costs behind it gave to them; the last copies lose nothing.

# %%
cut_shares = {name: share.copy() for name, share in net.copies.items()}
tg.cut(net)  # mended
net.backward()
tg.player(
    net, compare=cut_shares, start=("U", 2), title="Beside it: what the cut leaves", ops=False
)

# %% [markdown]
# "error goes back: k₂" in the player of lesson 1 does this for every truncation at once. Here is what its numbers mean.
#
# ## Two numbers: k1 and k2
#
# A stream has no end, so cuts must come by rule. The rule of Sutskever's thesis has two numbers. Every **k1** steps one
# goes back, and over at most **k2** steps. It is written TBPTT(k1, k2). The steps that are walked back in one go are a
# **window**.
#
# What a window sends back are the errors of the steps that are *new* since the last window. In this way each cost
# is counted once. Take TBPTT(2, 4): the window that ends at step 6 covers the steps 3 to 6. $C(3)$ and $C(4)$ were sent
# back by the window before, which ended at step 4; so this one sends $C(5)$ and $C(6)$, over the copies 6, 5, 4 and 3.
#
# Here are five forms of it, for our sequence of $T = 7$ steps.

# %%
forms = {
    "TBPTT(T, T): all the way back, once": (T, T),
    "TBPTT(1, T): all the way back, at every step": (1, T),
    "TBPTT(1, 1): not back at all": (1, 1),
    "TBPTT(3, 3): in chunks": (3, 3),
    "TBPTT(2, 4): windows that overlap": (2, 4),
}
found = {}
for name, (k1, k2) in forms.items():
    mask = tg.truncation_mask(T, k1=k1, k2=k2)
    found[k1, k2] = tg.truncated_gradient(net, k1=k1, k2=k2)["U"]
    print(
        f"{name}: {mask.sum()} entries of {T * (T + 1) // 2}, "
        f"off by {100 * off(found[k1, k2]):.1f} %"
    )
    show(mask)
    assert np.allclose(found[k1, k2], masked(mask), rtol=0, atol=1e-14)

# %%
try:
    tg.plot_masks(
        {
            name.partition(":")[0]: tg.truncation_mask(T, k1=k1, k2=k2)
            for name, (k1, k2) in forms.items()
        }
    )
except ImportError as missing:
    print(missing)

# %% [markdown]
# Read the masks one after the other.
#
# **TBPTT(T, T)** is no truncation, and neither is **TBPTT(1, T)**. They are the same mask. They differ in what they
# cost: the first goes back once, the second at every step. (The second one can change the weights at every step. As
# long as they are kept still, the sum is the same.)
#
# **TBPTT(1, 1)** is the diagonal, and lesson 5: the previous state has fallen from the sky.

# %%
assert np.allclose(found[T, T], full, rtol=0, atol=1e-14)
assert np.allclose(found[1, T], full, rtol=0, atol=1e-14)
lesson_5 = sum(
    tg.guo.gradients_of_one_cost(params, x, d, s0, t=t, depth=0, f="tanh").grads["U"]
    for t in at
)
assert np.allclose(found[1, 1], lesson_5, rtol=0, atol=1e-14)
print("steps walked back: TBPTT(T, T)", T, "and TBPTT(1, T)", sum(at))

# %% [markdown]
# **TBPTT(3, 3)** is what many programs do: chop the sequence into chunks, hand on the state, cut between them. It is
# cheap, every step is walked back once. But look at the rows of one chunk: $C(4)$ sees one copy, $C(6)$ sees three.
# How far an error gets depends on where in its chunk it happens to stand. (The last row, $C(7)$, is left over. We come
# to it below. What Keras and others call the length of a chunk, and what the two numbers do to training, is measured on
# the site's page *Through time, or not so far*.)
#
# **TBPTT(2, 4)** mends this in part. The oldest of the new errors stands $k_1 - 1$ steps before the end of its window.
# So even this one gets back over $k_2 - (k_1 - 1)$ copies, here $4 - 1 = 3$, unless the sequence begins sooner. The
# price: each step is walked back about $k_2 / k_1$ times.


# %%
def copies_seen(k1, k2):
    """By how many copies each cost is seen, apart from those so early that there are not
    enough."""
    seen = (tg.truncation_mask(60, k1=k1, k2=k2) > 0).sum(axis=1)
    return seen[k2 : 60 - 60 % k1]


for k1, k2 in ((3, 3), (2, 4), (1, 4), (4, 8)):
    seen = copies_seen(k1, k2)
    print(
        f"TBPTT({k1}, {k2}): between {seen.min()} and {seen.max()} copies, "
        f"{seen.mean():.2f} on average"
    )
    assert (seen.min(), seen.max()) == (k2 - k1 + 1, k2)

# %% [markdown]
# And what if $k_1$ is larger than $k_2$? Then some costs send nothing back at all. Not even `W`, which needs no way
# back through time, hears of them. The library computes it, and warns.

# %% tags=["prose"]
with warnings.catch_warnings(record=True) as heard:
    warnings.simplefilter("always")
    head = tg.truncated_gradient(net, k1=3, k2=1)["W"]
print(heard[0].message)
mask = tg.truncation_mask(T, k1=3, k2=1)
show(mask)
heads = tg.influence(net, "W")
assert np.allclose(head, sum(heads[t - 1].sum(axis=0) for t in (3, 6, 7)), rtol=0, atol=1e-14)
assert [int(t) for t in at[mask.sum(axis=1) == 0]] == [1, 2, 4, 5]

# %% [markdown]
# ## The same thing under other names
#
# Williams and Peng wrote it down in 1990, as BPTT(h; h'): go back over h steps, every h' steps. So their h is $k_2$ and
# their h' is $k_1$: mind the order. BPTT(h; h) is the chunks: it goes back over every step once, at the end of each h
# steps. *Epochwise* training does the same at the end of each epoch; but there each epoch starts from a fresh state,
# and the chunks hand the state on. A common choice is BPTT(2h'; h'), that is $k_2 = 2 k_1$: twice the work of chunks,
# and no error goes back over less than $k_1 + 1$ copies.


# %%
def summed(windows):
    return sum(window.grads["U"] for window in windows)


stream = (cell, params, x, d)
assert np.allclose(
    summed(tg.williams_peng(*stream, h=4, h_prime=2, s0=s0)), found[2, 4], rtol=0, atol=1e-14
)
chunks = tg.truncated_gradient(net, k1=3, k2=3, tail="short")["U"]
assert np.allclose(summed(tg.epochwise(*stream, h=3, s0=s0)), chunks, rtol=0, atol=1e-14)
assert copies_seen(5, 10).min() == 5 + 1
print("BPTT(4; 2) is TBPTT(2, 4); BPTT(3; 3) is TBPTT(3, 3), whose last chunk is shorter")

# %% [markdown]
# Mind that last chunk. Seven is no multiple of three, so one step is left over. It can be a window that reaches back as
# all do (*flush*, as in the masks above), a chunk of one step (*short*), or be left out (*drop*). These are three
# different gradients, and a program should say which one it means.

# %%
losing = []
for tail in ("flush", "short", "drop"):
    gradient = tg.truncated_gradient(net, k1=3, k2=3, tail=tail)["U"]
    mask = tg.truncation_mask(T, k1=3, k2=3, tail=tail)
    print(f"{tail}: off by {100 * off(gradient):.2f} %, last row:", *mask[-1])
    losing.append(off(gradient))
    assert np.allclose(gradient, masked(mask), rtol=0, atol=1e-14)
assert len(set(losing)) == 3
alone, others = G[-1, -1], G[-1, :-1].sum(axis=0)
kept, whole = np.linalg.norm(alone), np.linalg.norm(alone + others)
print(
    f"the row of C(7): what short keeps of it is {kept:.2f} long, all of it is "
    f"{whole:.2f} long"
)
assert (alone * others).sum() < 0
assert kept > whole
assert losing[1] > losing[2]

# %% [markdown]
# Here it is even better to drop $C(7)$ than to keep one copy of it. The other copies in its row pull against that one,
# and *short* has cut them off. A gradient is a sum of entries with signs: more of them is not always nearer.

# %% [markdown]
# ## A recipe that counts twice
#
# Here is the recipe of many tutorials: *at every k1 steps, take the last k2 steps, add up their costs, go back.* It
# sounds the same. But where windows overlap, it adds up old costs again.

# %%
mask = tg.truncation_mask(T, k1=1, k2=T, losses="window")
show(mask)
twice = tg.truncated_gradient(net, k1=1, k2=T, losses="window")["U"]
cosine = (twice * full).sum() / np.linalg.norm(twice) / np.linalg.norm(full)
times = np.linalg.norm(twice) / np.linalg.norm(full)
print(f"all the way back at every step: {times:.2f} times as long as the gradient,")
print(f"and turned away from it by {np.degrees(np.arccos(cosine)):.1f} degrees")
assert mask[0, 0] == T
assert off(twice) > 0.5
assert np.allclose(twice, masked(mask), rtol=0, atol=1e-13)

# %%
try:
    tg.plot_masks(mask)
except ImportError as missing:
    print(missing)

# %% [markdown]
# $C(1)$ is counted seven times, $C(7)$ once. More steps back make it no better; nothing is missing here, and it is
# still not the gradient. The fault is in the costs and not in the way back.
#
# ## Wikipedia's loop
#
# The pseudocode in Wikipedia's article slides a window of $k_2$ steps along the sequence by one step at a time. Only
# the *last* output of a window is compared with its target. Here it is in our letters, counted from 0 as there. (The
# article has other ones, and two of them can lead you astray: its x is the state, and its y the **target**.)
#
#     for t from 0 to T - k2:
#         feed x[t], ..., x[t+k2-1] to the k2 copies, starting from the state s
#         error = d[t+k2] - y
#         send the error back over all k2 copies, add up their changes, update
#         s = f(s, x[t])
#
# Count. The sequence has the targets `d[0]` to `d[T-1]`. In its last round `t` is `T - k2`, and the loop asks for
# `d[T]`. We run it as it is published.

# %% tags=["prose"]
rounds = 0
try:
    for _ in tg.wikipedia(*stream, k=3, version="published", s0=s0):
        rounds += 1
except IndexError as error:
    print(f"{rounds} windows went well. Then: {error}")
assert rounds == T - 3

# %% [markdown]
# (The message has the article's letters: its n is our $T$, its k our $k_2$.)
#
# The output that has read `x[t+k2-1]` belongs to the target `d[t+k2-1]`. With that index it runs, and it is one more
# mask: a band along the diagonal, without the first rows, because a window that is not yet full has no turn.

# %%
k2 = 3
mended = list(tg.wikipedia(*stream, k=k2, version="target", s0=s0))
band = tg.truncation_mask(T, k1=1, k2=k2, losses="last")
band[: k2 - 1] = 0
show(band)
assert len(mended) == T - k2 + 1
assert np.allclose(summed(mended), masked(band), rtol=0, atol=1e-14)

# %% [markdown]
# Each row of the band is Guo's (28) with $k_2 - 1$ extra copies. So in the end this loop *is* Guo's section 3.1, run at
# every step from the one on at which the first window is full.

# %%
each = [
    tg.guo.gradients_of_one_cost(params, x, d, s0, t=t, depth=k2 - 1, f="tanh")
    for t in at[k2 - 1 :]
]
by_28 = sum(row.grads["U"] for row in each)
assert np.allclose(summed(mended), by_28, rtol=0, atol=1e-14)
print(f"Wikipedia's loop over {k2} steps is (28) with {k2 - 1} extra copies")

# %% [markdown]
# ## What is not on the table
#
# One more recipe: cut the long sequence into pieces, and treat each as a sequence of its own. Sutskever calls it naive.
# It looks like the chunks, and one would draw the mask of the chunks for it. But every piece starts from a **fresh
# state**. So already the forward pass is another one, the costs are other costs, and their gradient is no part of our
# table.

# %%
pieces = list(tg.naive_splitting(*stream, k=3, s0=s0))
chunked = list(tg.epochwise(*stream, h=3, s0=s0))
print(
    f"cost of the whole {whole_cost:.6f}, in chunks {sum(w.loss for w in chunked):.6f}, ",
    end="",
)
print(f"in pieces {sum(w.loss for w in pieces):.6f}")
assert np.isclose(sum(w.loss for w in chunked), whole_cost, rtol=0, atol=1e-12)
assert abs(sum(w.loss for w in pieces) - whole_cost) > 0.01
assert np.linalg.norm(summed(pieces) - summed(chunked)) > 0.01

# %% [markdown]
# So there are three things that are all called "cutting", and they are not the same. To stop the **error**: that is
# truncation, and the state goes on. To forget the **state** at the border of two sequences that have nothing to do with
# each other: that is right. To forget it in the middle of one: that makes the network blind for good.
#
# ## What each one is blind to
#
# All together now: how many entries of the table each one adds up, how many steps it walks back for that, how far the
# farthest entry is from the diagonal, and how far off the gradient is.

# %%
print(f"{'':14}{'entries':>9}{'walked back':>13}{'farthest lag':>14}{'off by':>9}")
short_of = {}
for k1, k2 in ((T, T), (1, T), (2, 4), (1, 3), (3, 3), (1, 1)):
    mask = tg.truncation_mask(T, k1=k1, k2=k2)
    farthest = max(int(t - tau) for t, tau in np.argwhere(mask))
    ends = [*range(k1, T + 1, k1), *([T] if T % k1 else [])]
    walked = sum(min(end, k2) for end in ends)
    short_of[k1, k2] = off(tg.truncated_gradient(net, k1=k1, k2=k2)["U"])
    print(
        f"TBPTT({k1}, "
        f"{k2}){mask.sum():14}{walked:13}{farthest:14}{100 * short_of[k1, k2]:7.1f} %"
    )
    assert farthest == k2 - 1
assert short_of[1, 3] < short_of[2, 4]

# %% [markdown]
# TBPTT(1, 3) has fewer entries than TBPTT(2, 4) and is nearer all the same: signs again. Do not read the last column as
# a ranking; with other data it is another one.
#
# A method that looks back over $k_2$ steps does not see what lies further back. It does not see it dimly; it does not
# see it at all. As long as the far corner of the table is as good as empty, that is no loss.
#
# And when it is not empty?
