# %% [markdown]
# # What must be kept: memory and checkpoints
#
# * **Goal**: pay for memory with time, or with sharpness
# * **Needs**: lessons 6 and 11
# * **Words**: memory, checkpointing, recomputation, gamma memory
#
# Letters that only this lesson has:
#
# | here | what it is | Guo | elsewhere |
# |---|---|---|---|
# | $K$ | how many steps there are in a segment | | k in the exercises |
# | $N$ | the fewest steps that must be played | | C in Gruslys and others, a cost here |
# | $P$ | how many places there are for states | | p, and m in Gruslys and others |
# | $a$ | how many steps are played before the next state is kept | | y in Gruslys and others, an output here |
# | $\gamma$ | what is in a tap of the gamma memory | | g in Príncipe and others, a function here |
# | $q$ | counts taps | | k in Príncipe and others, an index of outputs here |
# | $\mu$ | the part of a tap that moves on in a step | | |
#
# Backpropagation through time plays the sequence backwards, and on the way it needs what was there when it was played
# forwards: the slopes $f'$, and the states that `U` was multiplied with. So all of it is kept until the error comes by.
# For twice as long a sequence that is twice as much memory. Does it have to be?
#
# ## The picture
#
# The way of the error through nine time steps. It begins at the right end (move the picture sideways). When the first
# step is played forwards, its numbers are needed again only after all the others have had their turn, forwards and
# backwards.

# %%
import functools
import math
import tracemalloc

import numpy as np

import tinygrad_rnn as tg

rng = np.random.default_rng(17)
cell = tg.cells.Guo(f="tanh", g="softmax")
l, m, o = 3, 16, 2
params = cell.init(l, m, o, rng=17)
params["U"] = 0.9 * tg.train.orthogonal(m, rng=17)


def sequence(T):
    return rng.normal(size=(T, 1, l)), np.eye(o)[rng.integers(o, size=(T, 1))]


x, d = sequence(9)
net = tg.unfold(cell, params, x, d, s0=rng.normal(size=(1, m)))
net.backward()
tg.draw(net, view="backward", window="all")

# %% [markdown]
# The same as a table, from left to right in the order of what is done: nine steps forwards, then nine backwards. A row
# is a time step, and it is marked for as long as its numbers must be kept.

# %%
kept = np.array([[t <= moment <= 19 - t for moment in range(1, 19)] for t in range(1, 10)])
for t in range(9, 0, -1):
    print(f"step {t}  " + " ".join("█" if here else "." for here in kept[t - 1]))
print("kept    " + " ".join(str(here) for here in kept.sum(axis=0)))
assert kept.sum(axis=0).max() == 9

# %% [markdown]
# In the middle all nine are there. How much is it? Python can count the bytes that are in use at the worst moment.


# %%
def worst_moment(work):
    """What the work gives, and the most memory in use while it was done, in hundreds of kB."""
    tracemalloc.start()
    result = work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return result, round(peak / 1000, -2)  # the last digits differ from run to run


def everything_kept(x, d):
    net = tg.unfold(cell, params, x, d)
    net.replay()
    net.backward()
    return dict(net.grads)


peaks = {}
for T in (144, 576):
    data = sequence(T)
    grads, peaks[T] = worst_moment(lambda data=data: everything_kept(*data))
    print(f"{T} steps, everything kept: {peaks[T]:8.0f} kB")
assert peaks[576] > 2.5 * peaks[144]

# %% [markdown]
# ## Forget, and play it again
#
# A state is enough to play everything that comes after it once more. So cut the sequence into segments of $K$ steps,
# keep only the **state before each segment**, a checkpoint, and forget the rest. On the way back, play each segment
# again from its checkpoint when the error gets there, keep all of *its* steps, send the error through, and forget them.
#
# There are $T/K$ checkpoints, and $K$ steps of one segment are there at a time. (A step has a few numbers more than its
# state. We count both as one.)
#
# $$
# \text{kept} = \frac{T}{K} + K, \qquad \text{smallest where } -\frac{T}{K^2} + 1 = 0, \text{ at } K = \sqrt{T}.
# $$
#
# Every step is played twice, but for those of the last segment: nothing comes after it, so the error can go back
# through it at once, and the state before it need not be kept either. That makes $T/K - 1$ checkpoints, and $2T - K$
# steps played. (If all is one segment, one state is still kept: $s(0)$.)

# %%
T = 144
x, d = sequence(T)
net = tg.unfold(cell, params, x, d)
net.replay()
net.backward()
print(f"{'segment':>8}{'checkpoints':>13}{'T/K + K':>9}{'steps played':>14}{'difference':>12}")
total = {}
for K in (1, 4, 8, 12, 18, 36, 144):
    found = tg.checkpointed(cell, params, x, d, every=K)
    total[K] = T / K + K
    off = max(np.abs(found.grads[name] - net.grads[name]).max() for name in params)
    print(f"{K:8}{found.kept:13}{total[K]:9.0f}{found.steps:14}{off:12.0e}")
    assert found.kept == max(1, T // K - 1)
    assert found.steps == 2 * T - K
    assert found.steps + 2 * T < 4 / 3 * (T + 2 * T)
    assert off < 1e-12
assert min(total, key=total.get) == math.isqrt(T) == 12

# %% [markdown]
# At $K = \sqrt{T}$ the sum is smallest, and the gradient is the same, up to rounding: the shares are added in another
# order. The price is less than one more pass forwards. If a pass backwards costs as much as two passes forwards, as
# one often reckons, that is less than a third more time: $4T - K$ instead of $3T$.

# %%
x_long, d_long = sequence(576)
whole, before = worst_moment(lambda: everything_kept(x_long, d_long))
found, after = worst_moment(lambda: tg.checkpointed(cell, params, x_long, d_long))
print(
    f"576 steps: {before:.0f} kB with everything kept, "
    f"{after:.0f} kB with segments of {math.isqrt(576)} steps"
)
assert after < before / 3
assert all(np.allclose(found.grads[name], whole[name], rtol=0, atol=1e-11) for name in params)

# %% [markdown]
# ## Even fewer
#
# What if there is room for three states only, whatever the length? Then checkpoints must be moved about. Nine steps,
# three places. One of them always holds $s(0)$. Each line below is one thing that is done, from top to bottom: `>` is a
# step that is played only to get to the state after it, `o` a step that is played and through which the error then goes
# back. On the right stand the states that are in their places meanwhile.


# %%
@functools.cache
def plays(t, places):
    """The fewest steps that must be played forwards to go back through t steps."""
    if t <= 1:
        return t
    if places == 1:
        return t * (t + 1) // 2
    return min(
        ahead + plays(t - ahead, places - 1) + plays(ahead, places) for ahead in range(1, t)
    )


def best(t, places):
    """How many steps to play before the next state is kept."""
    if places == 1:
        return t - 1
    return min(
        range(1, t),
        key=lambda ahead: ahead + plays(t - ahead, places - 1) + plays(ahead, places),
    )


def schedule(first, t, places, kept=(0,)):
    """What is done, line by line: (mark, the steps, the states in their places)."""
    if t == 1:
        yield "o", [first], kept
        return
    ahead = best(t, places)
    yield ">", range(first, first + ahead), kept
    also = (first + ahead - 1,) if places > 1 else ()
    yield from schedule(first + ahead, t - ahead, places - 1, kept + also)
    yield from schedule(first, ahead, places, kept)


done = list(schedule(1, 9, places=3))
print("t =  " + " ".join(str(t) for t in range(1, 10)))
for mark, steps, kept in done:
    row = " ".join(mark if t in steps else "." for t in range(1, 10))
    print(f"     {row}   " + " ".join(f"s({t})" for t in kept))
counted = sum(len(steps) for _, steps, _ in done)
print(
    f"\n{counted} steps played for 9 steps of error; with s(0) alone it would be {plays(9, 1)}"
)
assert [steps[0] for mark, steps, _ in done if mark == "o"] == list(range(9, 0, -1))
assert max(len(kept) for *_, kept in done) == 3
assert plays(9, 1) == sum(range(1, 10))

# %% [markdown]
# Read the `o` from top to bottom: the error goes through step 9, then 8, and so on to step 1. It has to, whatever else
# is done. With $s(0)$ alone one would play all nine steps, then the first eight again, and so on:
# $9 + 8 + \ldots + 1$.
#
# How far ahead should one play before keeping the next state? Audrūnas Gruslys and others answered in 2016 with a rule
# that calls itself. Let $N(T, P)$ be the fewest steps that have to be played, for $T$ steps and $P$ places. If we play
# $a$ steps and keep the state there, what comes after it is the same problem, shorter and with a place less; and when
# the error has gone through that, the place is free, and the first $a$ steps are the same problem with all places:
#
# $$
# \begin{aligned}
# N(T, P) &= \min \big( a + N(T-a, P-1) + N(a, P) \big), \\
# N(1, P) &= 1, \qquad N(T, 1) = T + (T-1) + \ldots + 1 = \frac{(T+1)\, T}{2}.
# \end{aligned}
# $$
#
# Try all $a$ from 1 to $T-1$ and take the smallest. That is what `plays` above does, and the library plays just as
# many. (It need not try all: programs that differentiate other programs had met the same problem before, and Andreas
# Griewank and Andrea Walther, 2000, give its solution as a sum.)

# %%
x, d = sequence(40)
print(f"{'places':>7}{'N(40, places)':>15}{'played':>8}")
grads = []
for places in (1, 2, 3, 5, 10, 40):
    found = tg.checkpointed(cell, params, x, d, every=1, memory=places)
    grads.append(found.grads)
    print(f"{places:7}{plays(40, places):15}{found.steps:8}")
    assert found.steps == plays(40, places)
    assert found.kept <= places
assert counted == plays(9, 3)
assert plays(40, 40) == 2 * 40 - 1
assert all(np.array_equal(g[name], grads[0][name]) for g in grads for name in params)

# %% [markdown]
# Look at the column: with one place, everything is played again from the start for each step. A second and a third
# place help enormously. With forty places every state is kept, and still it is twice 40, less one: a
# place holds a *state*, and the other numbers of a step are made anew when the error comes; only the last step is
# played once. And the gradients in all six rows are the same **to the last bit**, because the same numbers are added in
# the same order. Memory is traded for time, and for nothing else.
#
# ## Or let it blur
#
# There is another way out, if an approximation will do. To go back ten steps you need the last ten states, one place
# for each: a **delay line**, where at each step everything moves on by one place. José Príncipe, Jyh-Ming Kuo and Bert
# de Vries (1993) put a line with **leaks** there, the gamma memory. It has a few places, called *taps*, and in each
# step only a part $\mu$ of what is in a tap moves on to the next one; the rest stays:
#
# $$
# \gamma_q(t) = (1 - \mu)\, \gamma_q(t-1) + \mu\, \gamma_{q-1}(t-1), \qquad \gamma_0(t) \text{ is the signal.}
# $$
#
# Put in a single 1 and watch it go by, over the first twelve steps. Five taps are $\gamma_0$ to $\gamma_4$.
# The *mean delay* of a tap is the mean of the time steps, each weighted with how much of the 1 is there.

# %%
for mu in (1.0, 0.5):
    memory = tg.GammaMemory(taps=5, mu=mu)
    memory.push(np.zeros(()))  # the first push says what shape is kept
    seen = []
    for t in range(400):
        memory.push(np.array(float(t == 0)))
        seen.append(memory.values.copy())
    seen = np.array(seen)
    mean_delay = np.arange(400) @ seen
    print(
        f"mu = {mu}, tap 4:",
        " ".join(f"{v:.2f}" for v in seen[:12, 4]),
    )
    print(
        f"          its mean delay is {mean_delay[4]:.2f} steps, "
        f"and what is in it adds up to {seen[:, 4].sum():.2f}"
    )
    assert np.allclose(mean_delay, np.arange(5) / mu)
    assert np.allclose(seen.sum(axis=0), 1)

# %% [markdown]
# With $\mu = 1$ it is the delay line: tap 4 gives back what went in four steps ago. With a smaller $\mu$ each tap takes
# $1/\mu$ steps on average, so the same tap reaches $4/\mu$ steps back; but what it holds is smeared over many of them.
# Five places, any depth; paid for in sharpness.
#
# What does that do to a gradient? The error still goes back step by step, with $\mu = 1/4$ over $1 + 4/\mu = 17$
# copies. But each copy is given the input and the state that the taps hold for it, smeared as they are. It depends on
# what the sequence is like: if it changes slowly, what is a little smeared is still nearly right. We let waves of
# several lengths go through a network that remembers well, and print how far the gradient of the last cost with respect
# to `U` is off.

# %%
memory_cell = tg.cells.Guo(f="tanh", g="identity")
weights = memory_cell.init(3, 8, 2, rng=1)
weights["U"] = 0.95 * np.eye(8) + 0.02 * rng.normal(size=(8, 8))
phases = rng.uniform(0, 2 * np.pi, size=(4, 1, 3))  # four waves of each length
T, off = 100, {}
print(f"{'steps in a wave':>16}{'5 taps, mu = 1':>17}{'5 taps, mu = 1/4':>18}")
for period in (4, 20, 80, 200):
    true, found = [], {1.0: [], 0.25: []}
    for phase in phases:
        wave = np.sin(2 * np.pi * np.arange(T)[:, None, None] / period + phase)
        target = 0.1 * np.cumsum(wave, axis=0)[..., :2]
        net = tg.unfold(memory_cell, weights, wave, target, loss="squared_error")
        net.backward(of=T)
        true.append(net.grads["U"].copy())
        for mu, gradients in found.items():
            *_, last = tg.fixed_memory(
                memory_cell, weights, wave, target, taps=5, mu=mu, loss="squared_error"
            )
            gradients.append(last.grads["U"])
    for mu, gradients in found.items():
        off[period, mu] = np.linalg.norm(np.subtract(gradients, true)) / np.linalg.norm(true)
    print(f"{period:16}{100 * off[period, 1.0]:15.1f} %{100 * off[period, 0.25]:16.1f} %")
assert last.last - last.first + 1 == 1 + 4 * 4
assert all(off[slow, 0.25] < off[slow, 1.0] / 3 for slow in (80, 200))
assert off[4, 0.25] > off[4, 1.0]

# %% [markdown]
# For slow waves, the five leaking taps come several times closer than five sharp ones, which simply end. For fast ones
# they are worse than cutting off. With $\mu = 1$ nothing is smeared, and it is backpropagation through the last five
# copies, exactly:

# %%
x, d = sequence(12)
windows = list(tg.fixed_memory(cell, params, x, d, taps=5, mu=1.0))
s0 = np.zeros((1, m))
for window in windows:
    depth = min(window.last, 5) - 1
    cut_off = tg.guo.gradients_of_one_cost(
        params, x, d, s0, t=window.last, depth=depth, f="tanh"
    )
    assert np.allclose(window.grads["U"], cut_off.grads["U"], rtol=0, atol=1e-14)
print(
    "mu = 1 is Guo's equation (28) with T = 4 extra copies, at each of",
    len(windows),
    "time steps",
)

# %% [markdown]
# So there is a choice: keep everything; keep less and play it again, exactly; or keep a blurred past. But all three
# look **back**. Is there a network whose exact gradient needs no past at all? There is, and it is older than all of
# these.
