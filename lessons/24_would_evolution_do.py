# %% [markdown]
# # Would evolution do? What a gradient is worth
#
# * **Goal**: say what a gradient costs, what it buys on equal budgets, and where it buys nothing
# * **Needs**: lessons 6 and 13
# * **Words**: evolution strategy, evolutionary, gradient-free, random search, local optimum
#
# Letters that only this lesson has:
#
# | here | what it is | Guo | elsewhere |
# |---|---|---|---|
# | $N$ | how many weights there are | | d, N |
# | $\kappa$ | the cosine of the angle between a direction and the gradient | | cos φ |
#
# Everything so far was about one vector, the gradient. Is it worth the trouble? There is a way without it: change the
# weights at random, keep what is better, and go on. It needs no tape, no copies, nothing that is carried back through
# time. Wikipedia's article on backpropagation through time says that BPTT tends to be significantly faster than such
# methods, and cites Sjöberg and others (1995) for it. How much faster, it does not say. So we measure.
#
# ## The rules
#
# Whoever searches for weights may look at the training set so many times and no more. One look, a forward pass over the
# whole of it, is the unit. All begin at the same weights. The budget is counted where nobody can cheat: inside of the
# function that gives the cost. Here is that function, on a chaotic series that is to be told one step ahead.

# %%
import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.experiments.arena.objective import Objective
from tinygrad_rnn.experiments.arena.tasks import task

mackey_glass = task("mackey_glass")
objective = Objective(mackey_glass, mackey_glass.start(seed=0), budget=10_000)
w = objective.start
print(f"{objective.n} weights, sequences of {objective.net.T} steps")
print(
    f"the cost of the start weights: {objective.cost(w):.3f}, and {objective.spent} look was paid"
)
cost, gradient = objective.gradient(w)
print(f"with the gradient: {objective.spent - 1} looks more, for {gradient.size} numbers")
assert (objective.spent, gradient.size) == (3, objective.n)

# %% [markdown]
# The cost is the squared error divided by that of always saying the mean: 1 is no better than that, 0 is perfect.
#
# ## What a gradient costs
#
# It is charged as two looks: one forwards, one back. That is a claim about work, so hold it against the clock.

# %% tags=["measured"]
import time


def microseconds(work, runs=9, calls=30):
    """The processor time of one call: the smallest of several means."""
    work()
    times = []
    for _ in range(runs):
        start = time.process_time()
        for _ in range(calls):
            work()
        times.append((time.process_time() - start) / calls)
    return 1e6 * min(times)


forward, both = (
    microseconds(f) for f in (lambda: objective.cost(w), lambda: objective.gradient(w))
)
print(
    f"a cost: {forward:.0f} us; with its gradient: {both:.0f} us, {both / forward:.2f} times that"
)
print(f"the gradient by measuring each weight's slope: {objective.n + 1} times that")
assert both / forward < objective.n / 5

# %% [markdown]
# About two, and it would be about two for a million weights: each number that goes forwards once comes back once.
#
# ## What a gradient buys
#
# Three who do without it. *Guessing* draws weights anew each time. The *(1+1) evolution strategy* has one parent and
# one child: the better of the two goes on, and the steps become longer when children are often better, shorter when
# they are not. *SNES*, a natural evolution strategy, has a cloud of weights with a middle and a width for each; the
# better ones pull the middle over. Against them Adam, on gradients by BPTT. Each may look 600 times, from five
# different starts.

# %% seconds=4
folder = tg.new_folder("would evolution do")
settings = {
    "adam": {"eta": [0.03]},
    "snes": {"sigma": [0.1]},
    "one_plus_one": {"sigma": [0.1]},
    "guessing": {"bound": [1.0]},
}
WITHOUT = ("snes", "one_plus_one", "guessing")
how = {
    "budget": 600,
    "seeds": 5,
    "tune": False,
    "settings": settings,
    "out": folder / "runs.jsonl",
    "processes": 0,
}
held = tg.arena(["mackey_glass"], list(settings), **how)
for rival in settings:
    low, high = held.interval("mackey_glass", rival)
    median = held.median("mackey_glass", rival)
    print(
        f"{rival:13} {median:.4f}, and with 95 % confidence between {low:.4f} and {high:.4f}"
    )

# %%
try:
    curves = {rival: held.of("mackey_glass", rival, "curve") for rival in settings}
    tg.plot_runs(
        held.marks,
        curves,
        title="What is best after so many looks",
        xlabel="looks at the training set",
    )
except ImportError as missing:
    print(missing)

# %% [markdown]
# Both axes are logarithmic; a line is the median of the five runs, its band the middle half of them. Read it twice.
# Downwards: where is everybody after 600 looks? And across: how many looks does each need for the same cost?


# %%
at = held.marks.index(next(k for k in held.marks if k >= 150))
quarter = np.median(held.of("mackey_glass", "adam", "curve")[:, at])
print(f"Adam after {held.marks[at]:,} looks: {quarter:.4f}")
for rival in WITHOUT:
    wins = held.better("mackey_glass", "adam", rival)
    whole = held.median("mackey_glass", rival)
    print(f"{rival:13} after 600: {whole:.4f}; in {wins:.0%} of all pairs Adam is better")
    assert quarter < whole
    assert wins == 1
for goal in (0.1, 0.05, 0.03):
    looks = {rival: held.reached("mackey_glass", rival, goal) for rival in settings}
    print(f"down to {goal}:", ", ".join(f"{rival} {k:,.0f}" for rival, k in looks.items()))
    assert looks["adam"] == min(looks.values())

# %% [markdown]
# A quarter of the looks is enough to be ahead of all three (`inf` is: not within the budget). These figures are of this
# task, of 55 weights and of these settings, and no law. The command `tinygrad-rnn arena` holds twelve rivals against
# each other on five tasks, tunes each with the same budget first, and says where the best setting stood at the edge of
# what was tried.
#
# ## Why
#
# Two costs tell the slope along one direction, *one* number. The gradient tells the slopes along all $N$. How much of
# the gradient is in a direction that was drawn at random? The cosine $\kappa$ of the angle between them has a mean of
# zero, and
#
# $$
# \text{the mean of } \kappa^2 = \frac{1}{N}.
# $$
#
# For there are $N$ directions at right angles; the squared cosines with all of them add up to 1 (Pythagoras), and
# chance prefers none. So of the way down, a random direction has one part in $N$.

# %%
rng = np.random.default_rng(24)
directions = rng.normal(size=(4000, objective.n))
cosines = (
    directions @ gradient / (np.linalg.norm(directions, axis=1) * np.linalg.norm(gradient))
)
print(f"the mean of cos^2 over {len(cosines):,} directions: {np.mean(cosines**2):.5f}")
print(f"1/N:                                       {1 / objective.n:.5f}")
least, most = np.degrees(np.arccos([cosines.max(), cosines.min()]))
print(f"angles from {least:.0f} to {most:.0f} degrees")
assert abs(np.mean(cosines**2) * objective.n - 1) < 0.1
assert cosines.max() < 0.7

# %% [markdown]
# In 55 dimensions nearly everything stands nearly at right angles to the gradient. Not one of 4,000 directions came
# closer to it than 45 degrees. And two looks buy all of it.
#
# ## Where it buys nothing
#
# So is the gradient always worth it? Take the task of lesson 18: is the number of ones odd? This time it is asked at
# the end only, of all strings of eight bits, and the network has two hidden units, 11 weights. We guess weights between
# -100 and 100, and stop when all 256 answers have the right sign.

# %% seconds=3
from dataclasses import replace

parity = replace(task("parity"), n_hidden=2)
wanted = parity.train.d[-1]


def guessed(seed, most=40_000):
    """Weights that are right on all strings, and how many guesses it took."""
    draw, tried = np.random.default_rng(seed), Objective(parity, parity.start(0), budget=most)
    while tried.spent < most:
        found = draw.uniform(-100, 100, tried.n)
        tried.cost(found)
        if (np.sign(tried.net.outputs[-1].value) == wanted).all():
            return {name: a.copy() for name, a in tried.params.items()}, tried.spent
    raise AssertionError("nothing was found")


bits = np.random.default_rng(500).integers(2, size=(500, 100))
odd = np.where(bits.sum(axis=0) % 2, 1, -1)
took = []
for seed in range(3):
    weights, looks = guessed(seed)
    took.append(looks)
    longer = tg.unfold(
        parity.cell,
        weights,
        2.0 * bits[..., None] - 1,
        np.zeros((500, 100, 1)),
        loss="squared_error",
    )
    right = np.mean(np.sign(longer.outputs[-1].value[:, 0]) == odd)
    print(
        f"right on all 8-bit strings after {looks:6,} guesses; on strings of 500 bits: {right:.0%}"
    )
    assert right == 1
assert np.median(took) < 2400

# %% [markdown]
# Guessing solves it. With such weights a unit is a switch, on or off, and what works for 8 bits works for any number of
# them. (That guessing solves such tasks was shown by Schmidhuber, Hochreiter and Bengio in 2001, on the long-lag
# benchmarks of their time; ours is a small one of that kind.) And Adam, on the gradient? It has the same network, 2,400
# looks, a little more than the middle one of these three guessers took, and five starts.

# %% seconds=3
from tinygrad_rnn.experiments.arena.objective import BudgetSpent
from tinygrad_rnn.experiments.arena.rivals import adam

shares = []
for seed in range(5):
    search = Objective(parity, parity.start(seed), budget=2400)
    try:
        adam(search, np.random.default_rng(seed), eta=0.03)
    except BudgetSpent:
        judge = Objective(parity, parity.start(seed), budget=1)
        judge.cost(search.best_at)
        shares.append(np.mean(np.sign(judge.net.outputs[-1].value) == wanted))
    print(f"start {seed}: cost {search.best:.3f}, {shares[-1]:.0%} of the strings right")
assert max(shares) < 1
assert np.median(shares) < 0.6

# %% [markdown]
# Most runs stay where a coin is right as often. A single flipped bit turns the answer over, so to small changes of
# small weights the cost is all but blind: near the start its surface is a plain, and the gradient says rightly that
# there is hardly anything to see. Where the answer is a switch, one look says as much as a gradient, and costs half.
#
# ## And better where?
#
# The cost that was compared is that of the training set. Nobody trains for that. Look at both columns, on the yearly
# sunspots: learnt from 1700 to 1920, told for 1921 to 2008.

# %% seconds=3
rows = {}
for rival, looks in (("adam", 250), ("adam", 1250), ("one_plus_one", 1250)):
    seen = tg.arena(
        ["sunspots"],
        [rival],
        **(how | {"budget": looks, "settings": {rival: settings[rival]}}),
    )
    rows[rival, looks] = [seen.median("sunspots", rival, what) for what in ("cost", "test")]
    learnt, told = rows[rival, looks]
    print(f"{rival:13}{looks:6,} looks: learnt {learnt:.3f}, told {told:.3f}")
(little, much, evolved) = rows.values()
assert much[0] < little[0] < evolved[0]
assert much[1] > little[1]
assert much[1] > evolved[1]

# %% [markdown]
# With five times the looks Adam fits the past better and tells the future worse; the evolution strategy, which is
# behind in the first column, is ahead of it in the second. The gradient is a way to go down fast. Whether down there is
# where you want to be is another question, and lesson 21 asked it: it held texts back.
#
# So, what is a gradient worth? It costs two looks and says what $N$ measured slopes would. Where the surface has a
# slope, that is a large factor; on a plain it is nothing; and what is learnt is no part of the answer.
