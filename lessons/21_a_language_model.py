# %% [markdown]
# # A text, character by character: a language model
#
# * **Goal**: train a network on a text, and judge it by a baseline
# * **Needs**: lessons 7 and 11
# * **Words**: language model, perplexity, Adam, sampling
#
# Letters that only this lesson has:
#
# | here | what it is | Guo | elsewhere |
# |---|---|---|---|
# | $K$ | how many different characters there are | | vocabulary size |
# | $N$ | how many characters a network chooses from, if all are equally likely: the perplexity | | |
#
# Lesson 1 had a network read `we see` and guess the next character. It was untrained, and the sentence had six
# characters. Now everything is there to do it in earnest: take a real text, let a network read it, and have it write.
#
# The text has to be there on any computer, without a network connection. Python brings one along: the texts of its own
# help, what `help("if")` prints.

# %%
import hashlib
import io
import time
from pydoc_data.topics import topics

import numpy as np
from threadpoolctl import threadpool_limits

import tinygrad_rnn as tg
from tinygrad_rnn.exchange.files import new_folder

threadpool_limits(1)  # small products: several threads would mostly wait for each other

text = "\n".join(topics[name] for name in sorted(topics))
data = tg.data.text(io.BytesIO(text.encode()))  # of a file of your own: tg.data.text("my.txt")
place = {letter: k for k, letter in enumerate(data.alphabet)}
codes, K = np.array([place[letter] for letter in text]), len(place)
split = len(codes) - round(0.1 * len(codes))
train, held_out = codes[:split], codes[split:]
print(
    f"{len(text):,} characters, {K} different ones, "
    f"sha256 {hashlib.sha256(text.encode()).hexdigest()[:16]}"
)
print("it begins:", repr(text[:70]))

# %% [markdown]
# The text is not the same in every version of Python, so your numbers may differ a little from those on the site. What
# is claimed below is checked on yours. (The `sha256` is a fingerprint: where it is the same, the text is.)
#
# The last tenth is kept aside. The network never learns from it, and all that is said about how good it is, is said
# about this part.
#
# ## The picture
#
# The network of lesson 1, on the first characters of the text. It has as many inputs and outputs as there are different
# characters, and more hidden units than one could draw.

# %%
eye, m, n, steps = np.eye(K), 96, 16, 25
cell = tg.cells.Guo(f="tanh", g="softmax")


def fresh():
    """The parameters everything here starts from."""
    return cell.init(K, m, K, rng=21)


first = codes[:6]
net = tg.unfold(cell, fresh(), eye[first[:-1], None], eye[first[1:], None])
letters = [f"“{text[k]}”".replace("\n", "↵") for k in range(6)]
tg.draw(net, overlay=None, captions={"x": letters[:-1], "d": letters[1:]})

# %% [markdown]
# ## What is to be beaten
#
# A cost says nothing by itself. Good compared to what? Here are three ways to guess the next character that need no
# network, each with its price: the mean of $-\ln$ of the probability that it gave to what really came. (The field calls
# it the *cross-entropy*, here in nats for each character; divided by $\ln 2$ it is in bits.)
#
# * **Knowing nothing**: all $K$ different characters have the same probability. The price is $\ln K$.
# * **Counting characters**: an `e` is more common than a `q`. Each character has the probability of its share in the
#   text.
# * **Counting pairs**: after a `q` comes a `u`. Each character has the probability of its share among those that have
#   followed the one before.
#
# The counts are made on the text to learn from, the prices are paid on the text that was kept aside. What was never
# seen must not have the probability zero, or the price would be infinite. So each character is counted once more than
# it was seen, and a little of these shares is mixed into the counts of the pairs.

# %%
share = np.bincount(train, minlength=K) + 1.0
share /= share.sum()
pairs = np.zeros((K, K))
np.add.at(pairs, (train[:-1], train[1:]), 1)
pairs += 0.1 * K * share
pairs /= pairs.sum(axis=1, keepdims=True)

price = {
    "knowing nothing": np.log(K),
    "counting characters": -np.log(share[held_out[1:]]).mean(),
    "counting pairs": -np.log(pairs[held_out[:-1], held_out[1:]]).mean(),
}
for way, nats in price.items():
    print(f"{way:20} {nats:.3f} for each character")
assert price["counting pairs"] < price["counting characters"] < price["knowing nothing"]

# %% [markdown]
# The network will be given one character at a time. If it remembered nothing else, how low could its price be? As low
# as that of somebody who has counted the pairs in the very text on which the price is paid, which is cheating. No guess
# that looks at one character alone does better there. So below *this* line, there must be a memory.

# %%
seen = np.zeros((K, K))
np.add.at(seen, (held_out[:-1], held_out[1:]), 1)
best = seen / np.maximum(seen.sum(axis=1, keepdims=True), 1)
no_memory = -np.log(best[held_out[:-1], held_out[1:]]).mean()
print(f"without a memory, at least {no_memory:.3f}")
assert no_memory < price["counting pairs"]

# %% [markdown]
# ## The untrained network
#
# It should be at the first line, or nearly: it cannot know anything yet. This is always the first thing to look at. A
# cost far from $\ln K$ at the start means that something is wrong, before anything has been learned.


# %%
def rows_of(numbers, rows):
    """A text cut into that many rows of the same length, time first: (T, rows)."""
    length = len(numbers) // rows
    return numbers[: length * rows].reshape(rows, length).T


def by_place(params, numbers, carried=True, rows=40):
    """The price of the first, second, ... character of a piece; each goes on from the
    state of the one before."""
    table = rows_of(numbers, rows)
    network, state, prices = tg.Network(cell, params, reduction="mean"), None, []
    for start in range(0, len(table) - steps, steps):
        piece = table[start : start + steps + 1]
        played = network(eye[piece[:-1]], eye[piece[1:]], s0=state)
        prices.append([float(cost.value) / rows for cost in played.losses])
        state = played.last_state if carried else None
    return np.mean(prices, axis=0)


untrained = by_place(fresh(), held_out).mean()
print(f"untrained: {untrained:.3f}, and ln K = {np.log(K):.3f}")
assert abs(untrained - np.log(K)) < 0.1

# %% [markdown]
# ## How it reads
#
# The text is far too long to be unfolded as a whole. So we cut, as is usual: read `steps` characters, go back through
# these and no further, take a step, read on. What is cut is the way of the **error** only. The state goes on from one
# window to the next, so the network may use what it read long ago, though it is not told how.
#
# And it reads `n` places of the text at the same time, side by side. They are the samples $p$: their products are done
# in one, and their gradients are added.
#
# One thing is not as in lesson 1. There the costs of the steps were summed up; here they are *averaged*, over the steps
# of a window by `reduction="mean"`, and over the samples by dividing by `n`. So a price is always that of one
# character, and the step size need not change with the size of a window.


# %%
table = rows_of(train, n)


def windows(params, count):
    """Truncated backpropagation through time with k1 = k2: each window goes back over
    itself."""
    x, d = eye[table[: count * steps]], eye[table[1 : count * steps + 1]]
    return tg.truncated(cell, params, x, d, k1=steps, k2=steps, reduction="mean")


params = fresh()
first_window, second_window = windows(params, 2)
whole = tg.unfold(cell, params, eye[table[: 2 * steps]], eye[table[1 : 2 * steps + 1]])
assert np.allclose(second_window.state, whole.last_state, rtol=0, atol=1e-12)
print(
    f"windows {first_window.first}-{first_window.last} and "
    f"{second_window.first}-{second_window.last}:"
)
print("the state after the second is that of one long pass over both")
assert abs(first_window.loss / n - np.log(K)) < 0.1
summed = tg.unfold(
    cell, params, eye[table[:steps]], eye[table[1 : steps + 1]], reduction="sum"
)
assert np.isclose(summed.loss / (n * steps), first_window.loss / n)

# %% [markdown]
# The two states agree because the weights have stayed the same. When they change after each window, the state that is
# handed on was made by slightly older ones, as in lesson 7.
#
# ## Two ways to take a step
#
# *Gradient descent* goes against the gradient, equation (6): $-\eta$ times the gradient. A weight with a small gradient
# takes small steps. In a text, most characters are rare, so most weights of $V$ and $W$ have small gradients. A column
# of $V$, for one, belongs to one character that is read.

# %%
columns = np.linalg.norm(first_window.grads["V"], axis=0)
print(f"{(share < 1e-3).sum()} of {K} characters are less than a thousandth of the text each.")
print(
    f"{(columns == 0).sum()} are not read in the first window: their columns have no gradient"
)
assert (share < 1e-3).mean() > 0.4
assert (columns == 0).sum() == K - len(set(table[:steps].flat)) > 0

# %% [markdown]
# *Adam* (Kingma and Ba, 2015) asks of each weight two things. What has its gradient been lately, on average? And how
# large has it been lately, whatever its sign? It goes
#
# $$
# -\eta\, \frac{\text{mean of the gradients}}{\sqrt{\text{mean of their squares}}} .
# $$
#
# Take a weight whose gradient is 0.001 at every step. The mean is 0.001, and so is the root of the mean square: it
# moves by $\eta$. A weight whose gradient is $-50$ at every step moves by $\eta$ as well, the other way. The size
# cancels. And a weight whose gradient is 1, then $-1$, then 1 again? Its mean is nearly 0, its mean square is 1: it
# hardly moves. So the step is $\eta$ for who is sure of the direction, and less for who is not.
#
# *Lately* means this: from step to step a mean keeps 0.9 of itself and takes 0.1 of the new gradient; the mean square
# keeps 0.999 and takes 0.001. Both begin at zero and are corrected for it. A tiny number keeps what is below the line
# from being zero. The exercises have the formulas.

# %%
rng = np.random.default_rng(0)
slopes = rng.normal(size=(3, 5))
ways = {}
for size in (1, 100):
    weight, adam = {"w": np.zeros(5)}, tg.train.Adam(0.004)
    for slope in slopes:
        adam.step(weight, {"w": size * slope})
        ways.setdefault(size, []).append(weight["w"].copy())
assert np.allclose(ways[1][0], -0.004 * np.sign(slopes[0]), rtol=1e-5)
assert np.allclose(ways[1], ways[100], rtol=1e-5)
print(
    "after three steps with random gradients, in units of eta:",
    np.round(ways[1][-1] / 0.004, 2),
)

# %% [markdown]
# Both are given gradients that are **clipped**: if all gradients together are longer than a threshold, they are
# shortened to it. Most of them are short enough. Now and then one is not, and one such step can undo many good ones.
#
# Window, gradient, clipping, step, and on to the next window: this is the whole loop. You could write it in six lines,
# with what stands above. {py:func}`tg.train.fit <tinygrad_rnn.train.fit>` has written it, and keeps the run in a
# folder. So we ask that, for each of four optimisers, and have it say every hundred updates what a character has cost
# on average.

# %% seconds=10 quick=6
folder = new_folder("lesson-21-runs")
network = {"cell": cell, "data": data, "hidden": m, "batch": n, "k1": steps, "seed": 21}
updates = 400  # quick: 300
rates = 0.1, 1.0, 2.0  # quick: 1.0, 2.0
ways = [("sgd", eta) for eta in rates] + [("adam", 0.004)]
prices = {}
for name, eta in ways:
    how = {"optimiser": name, "eta": eta, "decay": "none", "updates": updates, "every": 100}
    run = tg.train.fit(**network, **how, out=folder / f"{name} {eta}")
    prices[f"{name}, eta = {eta}"] = np.array([entry["train"] for entry in run.history])
columns = [f"{a + 1}-{a + 100}" for a in range(0, updates, 100)]
print(f"{'mean price of updates':24}" + "".join(f"{one:>10}" for one in columns))
for name, found in prices.items():
    print(f"{name:24}" + "".join(f"{one:10.3f}" for one in found))
*plain, adam = (found[-1] for found in prices.values())
assert all(found[-1] < found[0] for found in prices.values())
assert adam < min(plain)

# %% [markdown]
# All of them learn, and all of them begin with the same weights, those that the seed 21 gives. Adam is ahead of the
# rates of plain descent that we have tried, so we go on with it.
#
# ## Learning
#
# From time to time the run stops and pays for the text that was kept aside.

# %% seconds=15 quick=6
updates = 2500  # quick: 1000
start = time.process_time()


def say(line):
    """What it says after each 125 updates, without what is of no interest here."""
    if line.startswith("update"):
        print(line.partition(", best")[0])


run = tg.train.fit(
    **network, updates=updates, every=125, decay="none", out=folder / "run", watch=say
)
seconds = time.process_time() - start
params = {name: w.astype(float) for name, w in run.params.items()}  # it computes in float32
milestones = {}
for entry in run.history:
    for way, nats in price.items():
        if entry["validation"] < nats:
            milestones.setdefault(way, entry["update"])
for way, update in milestones.items():
    print(f"after {update} updates better than {way}")
clipped = np.array([entry["clipped"] for entry in run.history])
print(f"of the first 125 gradients {100 * clipped[0]:.0f} % were clipped, of all", end=" ")
print(f"{100 * clipped.mean():.0f} %, of the last {100 * clipped[-1]:.0f} %")
assert 0 < clipped.mean() < 0.5
read = updates * n * steps
print(f"{read:,} characters read, {read / len(train):.1f} times the text")

trained = run.price(last=True)  # of the weights of the end, which nothing has chosen
print(
    f"at the end: {trained:.3f}; counting pairs: {price['counting pairs']:.3f}; without "
    f"a memory: {no_memory:.3f}"
)
assert trained < 0.9 * price["counting pairs"]
assert (
    trained < 0.9 * no_memory
)  # by far more than the few characters at the ends of rows, which are not played
assert list(milestones) == list(price)
assert abs(by_place(params, held_out).mean() - trained) < 0.02  # ours and that of the run

# %% tags=["measured"]
print(f"{seconds:.0f} seconds of processor time")

# %% [markdown]
# It has beaten counting pairs, on a text that it has never seen, by a margin, and it is below what can be had without a
# memory. The price falls fast, then slowly, and what is said above is a mean over many windows: each step follows the
# gradient of one window, and the next window is another one, which may cost more.
#
# What does a price mean? Who gives $N$ characters the same probability pays $\ln N$. So who pays a price is as unsure
# as among $N = e^{\text{price}}$ equally likely characters. The field calls this number the *perplexity*.

# %%
for way, nats in {**price, "the network": trained}.items():
    print(f"{way:20} as unsure as among {np.exp(nats):5.1f} equally likely characters")
assert np.isclose(np.exp(price["knowing nothing"]), K)
costs = [window.loss / n for window in windows(params, 200)]
rises = (np.diff(costs) > 0).mean()
print(f"\nof 200 windows, {100 * rises:.0f} % cost more than the one before")
assert 0.25 < rises < 0.75

# %% [markdown]
# ## Does it remember?
#
# It does. But how far back? The windows are cut, and the error never goes back over more than one of them. Is the state
# that is carried from window to window of any use, then? Take it away, start every piece from zero, and pay again. Then
# look at which characters of a piece have become dearer.

# %%
carried, forgetful = by_place(params, held_out), by_place(params, held_out, carried=False)
print(
    f"state carried: {carried.mean():.3f}   state set to zero before each piece of {steps}: "
    f"{forgetful.mean():.3f}"
)
print("dearer by, at the places 1-5:  ", (forgetful - carried)[:5].round(3) + 0.0)
print("                       21-25:  ", (forgetful - carried)[-5:].round(3) + 0.0)
assert forgetful.mean() > carried.mean() + 0.01
assert (forgetful - carried)[:3].min() > 0.05
assert np.abs(forgetful - carried)[-5:].max() < 0.02

# %% [markdown]
# It is of use: what was learned within a window is a way of remembering, and it goes on working when the window ends.
# But only the first characters of a piece have become dearer. At the end of it, the network that was cut off does as
# well as the other: what it remembers, it has read within one window. Carrying the state does not by itself make a
# memory long.
#
# ## Let it write
#
# Give it a newline, draw a character with the probabilities it gives, hand that in as the next input, and so on.
# (Lesson 7 took the most probable one each time; that would always write the same text.) This is what it writes before
# it has learned anything, and after.


# %% tags=["prose"]
babble = tg.train.sample(cell, fresh(), data.alphabet, length=700, prime="\n").text
print("before:", repr(babble[:100]))
print("\nafter:")
sample = run.sample(700, prime="\n", last=True).text
print(sample)

# %%
words = set(text.split())
known = {"before": [], "after": []}
for when, said in (("before", babble), ("after", sample)):
    known[when] = [word in words for word in said.split()]
    print(
        f"{when}: {sum(known[when])} of the {len(known[when])} words "
        "it wrote stand in the text"
    )
assert np.mean(known["after"]) > np.mean(known["before"]) + 0.15

# %% [markdown]
# It is nonsense, and it has the look of Python's manual: words, lines, indents, quotes and brackets. Nobody told it
# what a word is. It was given one character at a time and one number to make smaller, and the errors went back through
# the copies of one matrix, and their shares were added.
#
# You have seen every step of that.
