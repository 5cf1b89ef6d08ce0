# %% [markdown]
# # How sensitive is training? A sweep
#
# * **Goal**: say how large a step may be, what clipping changes, and how to try many settings without losing any
# * **Needs**: lesson 13
# * **Words**: hyperparameter, grid search, learning rate, gradient clipping, spectral radius
#
# A paper says: we trained with a step of 0.1. Would 0.3 have done? In lesson 13 one step over a cliff threw the weights
# far away, and clipping kept them near. But one cliff is one place. Here are many runs: how large the recurrent matrix
# is at the start, how large the step is, and whether the gradient is shortened when it is longer than 1.
#
# ## One run
#
# The task is to add: 20 numbers pass by, two of them are marked, and at the end their sum is asked for. A run takes 60
# steps down half the mean squared error. What it gives is that error before and after, divided by the error of always
# saying the mean.

# %%
import textwrap

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.experiments.kinds import descent

calm = descent(radius=1.5, eta=0.1, updates=60)
wild = descent(radius=3.0, eta=3.0, updates=60)
print("radius 1.5, step 0.1:", calm)
print("radius 3.0, step 3.0:", wild)
assert not calm["diverged"]
assert wild["diverged"]

# %% [markdown]
# `diverged` means: not a number any more, or more than ten times what it began with. Why not just the first? You will
# see that a clipped run never becomes infinite.
#
# ## Many runs
#
# A grid is a list of points, and each point is what one call is given. The seed is a value like the others: a point
# says all that there is to be said about a run. `tg.sweep` calls the function at each of them, and writes a line into a
# file as soon as one is done.

# %% seconds=12
grid = tg.grid(
    clip=[None, 1.0],
    radius=[0.5, 1.5, 3.0],
    eta=[0.01, 0.03, 0.1, 0.3, 1.0, 3.0],
    seed=[0, 1],
    updates=[60],
)
runs = tg.new_folder("how sensitive") / "runs.jsonl"
records = tg.sweep(descent, grid, out=runs, processes=0)
print(f"{len(grid)} points, {len(runs.read_text().splitlines())} lines, the first:")
print(textwrap.fill(runs.read_text()[:300], 78), "...")
assert len(records) == len(grid) == 72


# %% [markdown]
# ## The map
#
# The more a cell stands out, the worse. In grey cells all runs have diverged; where some have, their share is written.


# %%
def of(clip):
    """The runs with that clipping."""
    return [record for record in records if record["point"]["clip"] == clip]


try:
    tg.plot_sweep(of(None), x="eta", y="radius", title="Not clipped")
except ImportError as missing:
    print(missing)

# %%
try:
    tg.plot_sweep(of(1.0), x="eta", y="radius", title="Clipped at 1")
except ImportError as missing:
    print(missing)


# %% [markdown]
# The same in numbers: for each step, the share that diverged, and the best cell's median.


# %%
def share(clip, eta):
    """How many of the runs with that step have diverged, as a part of one."""
    return np.mean([r["result"]["diverged"] for r in of(clip) if r["point"]["eta"] == eta])


def best(clip):
    """The smallest median of a cell, and where it is."""
    cells = {}
    for record in of(clip):
        point, result = record["point"], record["result"]
        cost = np.inf if result["diverged"] else result["cost"]
        cells.setdefault((point["radius"], point["eta"]), []).append(cost)
    return min((float(np.median(costs)), where) for where, costs in cells.items())


etas = sorted({point["eta"] for point in grid})
print("step       ", *(f"{eta:6g}" for eta in etas))
for clip in (None, 1.0):
    print(f"clip {clip!s:6}", *(f"{share(clip, eta):6.0%}" for eta in etas), "diverged")
    cost, (radius, eta) = best(clip)
    print(f"            best {cost:.3f}, radius {radius}, step {eta}")
assert best(1.0)[0] < best(None)[0]
assert share(None, 3.0) > share(1.0, 3.0)
assert share(None, 0.01) == 0
first = {}  # the smallest step with which a run of that radius has diverged
for record in of(None):
    if record["result"]["diverged"]:
        radius, eta = record["point"]["radius"], record["point"]["eta"]
        first[radius] = min(eta, first.get(radius, np.inf))
print("not clipped, the first step that diverges, by radius:", dict(sorted(first.items())))
assert first[3.0] < first[0.5]
assert share(None, 1.0) > 0.5
assert best(None)[1][1] < 1.0 <= best(1.0)[1][1]

# %% [markdown]
# Three things to see. From some step on, everything diverges, and that step is smaller where the matrix is large:
# the slopes are steeper there. Just below it the training is at its best, so the best step is a neighbour of disaster:
# three times as far, and most runs are gone. And clipping moves the border out, to where the best cell is better than
# any without it.
#
# Does clipping make a large step safe? Look at what the clipped runs with the largest step have come to:

# %%
ends = [
    r["result"]["cost"] / r["result"]["start"] for r in of(1.0) if r["point"]["eta"] == 3.0
]
print("cost at the end, in units of the cost at the start:")
print(np.round(sorted(ends), 2))
assert np.isfinite(ends).all()
assert max(ends) > 1

# %% [markdown]
# Each is finite, and some are worse than at the start. A step that is clipped to a length of 1 and multiplied by 3
# still goes 3 far: such a run wanders. "It did not diverge" is no praise, if the only test is for infinity.
#
# ## A sweep that is killed
#
# Long sweeps are stopped: by you, by the machine, by somebody who needs it. Ask for the same points again, as after a
# crash; and then for some more.

# %% seconds=3
before = runs.read_bytes()
tg.sweep(descent, grid, out=runs, processes=0)
assert runs.read_bytes() == before
print("the same points once more: no line was added")
more = tg.grid(clip=[1.0], radius=[1.5], eta=[0.2], seed=[0, 1], updates=[60])
tg.sweep(descent, grid + more, out=runs, processes=0)
added = runs.read_bytes()[len(before) :].count(b"\n")
print(f"and with {len(more)} new ones: {added} lines were added")
assert runs.read_bytes().startswith(before)
assert added == len(more)

# %% [markdown]
# What is done is known by the values of its point. That is why the seed belongs among them: if it came from elsewhere,
# nobody could say which run this was.
#
# A sweep is also a command. This file, `clip.toml`, is the one above; `tinygrad-rnn sweep clip.toml` runs it on all
# cores, and with `--scheduler tcp://...` on a cluster.
#
# ```toml
# function = "descent"
# out = "runs.jsonl"
# [grid]
# radius = [0.5, 1.5, 3.0]
# eta = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0]
# clip = [0, 1.0]
# seed = [0, 1]
# [fixed]
# updates = 60
# ```
#
# (TOML has no word for nothing, so there a clip of 0 is none.)
#
# How sensitive is training? With no clipping, the next larger step behind the best one of this grid loses most runs. So
# a step that is quoted without the size of the weights, or a best result without its neighbours, says little.
