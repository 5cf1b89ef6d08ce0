# %% [markdown]
# # Forecasting a laser
#
# * **Goal**: forecast a series, one step ahead and on its own, and say what the forecast is worth
# * **Needs**: lessons 11 and 14; lesson 21 helps
# * **Words**: forecasting, time series, persistence, autoregression, NMSE, free run, chaos
#
# Letters that only this lesson has:
#
# | here | what it is | Guo | elsewhere |
# |---|---|---|---|
# | $a$ | what an autoregression multiplies the last values by | | coefficients, φ |
#
# In the early nineties a competition was held in Santa Fe (Weigend and Gershenfeld, 1994). One of its tasks was a
# thousand numbers: how bright a laser had been, at a thousand moments, one after the other. The hundred numbers that
# came next were kept in a drawer. Who can tell them?
#
# We try it with a network that learns as in lesson 21, and ask what has to be asked of every forecast. What is it
# better than? What did it know that it must not know? And how far ahead does it reach?
#
# The numbers of the laser come with another package, `pip install 'tinygrad-rnn[data]'`, since nobody has said that we
# may bring them. Where that is not installed, this lesson takes a series that is computed, by the equation of Mackey
# and Glass (1977): it never repeats itself, either. All that is claimed below is checked on the one that you see.

# %%
import numpy as np
from threadpoolctl import threadpool_limits

import tinygrad_rnn as tg
from tinygrad_rnn.exchange.files import new_folder

threadpool_limits(1)  # small products: several threads would mostly wait for each other

series = "laser"  # otherwise: "Mackey-Glass"
if series == "laser":
    try:
        values = tg.data.laser().values[:1100]
    except ModuleNotFoundError as missing:
        print(missing)
        series = "Mackey-Glass"
if series == "Mackey-Glass":
    values = tg.data.mackey_glass(1100, every=6.0)

folder = new_folder("lesson-23-files")
np.savetxt(folder / "series.csv", values, header=series, comments="", fmt="%.17g")
data = tg.data.table(folder / "series.csv", header="yes")
print(f"the series: {series}, {len(data.values):,} rows; it begins")
print(data.values[:8, 0].round(2))

# %% [markdown]
# We have written it into a file and read it back, as you would read a table of your own.
#
# ## The picture
#
# The three parts follow each other in time. From the first 900 rows the network learns. The next 100 decide when it was
# best. The last 100 are those in the drawer: they are looked at once, at the end.

# %%
known, start = 900, 1000
x = data.values[:, 0]
try:
    ax = tg.plot_axes()
    for name, a, b in (("learn", 500, known), ("choose", known, start), ("tell", start, 1100)):
        ax.plot(np.arange(a, b), x[a:b], label=name)
    ax.set(xlabel="row", title=f"{series}: the end of the series")
    ax.legend(frameon=False)
except ImportError as missing:
    print(missing)

# %% [markdown]
# And here is the network. At each step it reads one number, and should say the next one. So what is desired at a step
# is what it will read at the step after: $d(t) = x(t+1)$. Below the first four rows, with weights that have learned
# nothing.

# %%
cell = tg.cells.LSTM(g="identity")  # its output may be any number
four = ((x[:5] - x[:known].mean()) / x[:known].std())[:, None, None]  # of the size of 1
small = tg.unfold(cell, cell.init(1, 3, 1, rng=0), four[:-1], four[1:], loss="squared_error")
said = [f"{value:.3g}" for value in x[:5]]
tg.draw(
    small,
    level="figure",
    overlay=None,
    captions={"x": said[:-1], "d": said[1:]},
)

# %% [markdown]
# ## What is to be beaten
#
# An error of 4 says nothing by itself. It is much for a series that never leaves 10 to 12, and little for one that goes
# from 0 to 255. So errors are divided by what they would be if one always said the mean:
#
# $$
# \mathrm{NMSE} = \frac{\sum_t (d(t) - y(t))^2}{\sum_t (d(t) - \text{mean of } d)^2}
# $$
#
# It is 0 for who is always right, and 1 for who always says the mean. It can be far above 1. Three forecasts need no
# network, and whoever shows one should show them:
#
# * **Persistence** says that the next value will be this one, $y(t) = x(t)$.
# * **The season before** says what was there one round ago. How long a round is, is found in the part that may be
#   learned from: the distance at which the series is most like itself.
# * **Autoregression** is a constant and some times each of the last values, $y(t) = a_0 + a_1 x(t) + a_2 x(t-1) +
#   \ldots$, fitted by least squares. It is a network without a hidden layer and without a state.
#
# The first two are a shift of the series. The third looks for its $a$ in the first 900 rows.

# %%
d = x[start:]  # what is to be told
season = tg.train.season_of(x[:known])
fitted = tg.train.autoregression(x[:known])  # how many values it reads is found, too
told = {
    "persistence": x[start - 1 : -1],
    f"{season} rows before": x[start - season : -season],
    str(fitted): fitted.ahead(x, start, len(x), 1),
}
price = {name: tg.train.nmse(d, y) for name, y in told.items()}
for name, found in price.items():
    print(f"{name:16} NMSE {found:.3f}")

a = fitted.weights  # of the last value, of the one before, ...
by_hand = fitted.constant + sum(w * x[start - 1 - k] for k, w in enumerate(a))
assert np.isclose(told[str(fitted)][0], by_hand)
assert price[str(fitted)] < price[f"{season} rows before"] < price["persistence"] < 1.1
assert np.isclose(tg.train.nmse(d, np.full(len(d), d.mean())), 1)

# %% [markdown]
# Persistence is about as bad as saying the mean, or a little better: the series moves fast. What is linear in several
# of the last values is better than a shift. What is left to a network is what no such sum can say.
#
# ## Learning, in a folder
#
# The loop is that of lesson 21: cut the series into windows of 50 steps, send the error back through each, clip, take a
# step by Adam, and hand the state on. `tg.train.fit` does that, and keeps all of it in a folder. Numbers that a network
# reads should be of the size of 1, so `fit` takes away the mean and divides by the standard deviation. *Of which rows*,
# we come to.

# %% seconds=4
updates = 1500
run = tg.train.fit(
    "lstm",
    data,
    out=folder / "run",
    updates=updates,
    decay="cosine",
    validate=100 / 1100,
    test=100 / 1100,
)
print(f"{'updates':>8}{'learned from':>14}{'kept aside':>12}")
for entry in run.history:
    print(f"{entry['update']:8}{entry['train']:14.4f}{entry['validation']:12.4f}")
assert run.history[-1]["train"] < run.history[0]["train"] / 5
assert run.settings["hidden"] == 32

# %% [markdown]
# The folder has the weights that were best on the 100 rows behind those it learned from, and all that is needed to go
# on, bit by bit, as if there had been no break: `tinygrad-rnn resume`. It is yours, in `tinygrad-rnn-output`.
#
# ## One step ahead
#
# Now the drawer is opened. At each of its rows the network is given all rows before, as they really were, and says one.

# %%
found = run.forecast(100)
network, best = found.score().nmse, min(price, key=price.get)
print(f"{'network':16} NMSE {network:.4f}")
print(f"{best:16} NMSE {price[best]:.4f}")
assert network < 0.03
assert network < price[best] / 10
others = {other.name: other for other in found.baselines}  # they stand beside it
assert np.allclose(others[str(fitted)].ahead[:, 0], told[str(fitted)])

# %% [markdown]
# Nothing in that is magic. It is the network of the picture, played over the whole series with the weights it has
# learned; what it says is brought back to the unit of the series. Here is the same in five lines.

# %%
shift, size = (run.known["inputs"][what][0] for what in ("shift", "size"))
scaled = ((values - shift) / size)[:, None].astype(np.float32)  # as the weights are
played = tg.unfold(run.cell, run.best, scaled[:-1], scaled[1:], loss="squared_error")
y = np.array([output.value[0, 0] for output in played.outputs]) * size + shift
assert np.allclose(y[start - 1 :], found.network.ahead[:, 0], rtol=0, atol=1e-3 * x.std())
del played
try:
    ax = tg.plot_axes()
    ax.plot(np.arange(start, 1100), d, label="what came")
    ax.plot(np.arange(start, 1100), y[start - 1 :], linestyle="--", label="one step ahead")
    ax.set(xlabel="row", title="Each row told from the true rows before it")
    ax.legend(frameon=False)
except ImportError as missing:
    print(missing)

# %% [markdown]
# ## Two ways to be fooled
#
# **A forecast that lags.** Draw persistence like this, and it looks good as well: the same curve, one row late. The eye
# forgives it. So compare a forecast with the row *before*, too. What is nearer to the row before than to its own is an
# echo.

# %%
print(f"{'':14}{'its own row':>13}{'the row before':>16}")
for name, y in {"network": found.network.ahead[:, 0], **told}.items():
    own, before = tg.train.nmse(d[1:], y[1:]), tg.train.nmse(d[:-1], y[1:])
    print(f"{name:16}{own:11.4f}{before:16.4f}")
    if name == "network":
        assert own < before / 10
    if name == "persistence":
        assert before == 0 < own

# %% [markdown]
# **A scaler that has seen the drawer.** The mean and the standard deviation are learned from data, too. Take them from
# all rows, and what is in the drawer has changed what the network reads at row 1. However small that is: it cannot be
# seen in a plot, and not in the error. But it can be tested. Put nonsense into the drawer, and train again. Not one bit
# of the weights may differ.

# %%
nonsense = values.copy()
nonsense[start:] *= 1000
np.savetxt(folder / "nonsense.csv", nonsense, header=series, comments="", fmt="%.17g")
twins = {}
for name in ("series", "nonsense"):
    table = tg.data.table(folder / f"{name}.csv", header="yes")
    how = {"updates": 40, "validate": 100 / 1100, "test": 100 / 1100}
    twins[name] = tg.train.fit("lstm", table, out=folder / f"twin on {name}", **how).best
same = [np.array_equal(w, twins["nonsense"][name]) for name, w in twins["series"].items()]
print(f"{sum(same)} of {len(same)} weights are the same, bit by bit")
assert all(same)
print(f"mean of the first {known} rows {x[:known].mean():.3f}, of all {x.mean():.3f},")
print(f"of all with nonsense in the drawer {nonsense.mean():.3f}")
assert x[:known].mean() == nonsense[:known, 0].mean()
assert abs(nonsense.mean() - x.mean()) > 5 * x.std()

# %% [markdown]
# The same test finds a baseline that was fitted on all rows, a season that was looked for in all of them, and a gap
# that was filled from behind.
#
# ## On its own
#
# One step ahead, somebody has to measure the true value after each step. What if nobody does? Then the network reads
# what it has said itself, again and again: a **free run**. This was the task in Santa Fe. An autoregression can do it,
# too.

# %%
rows = np.arange(0, 100, 20)
forecasts = {
    "network, ahead": found.network.ahead,
    "network, free": found.network.free,
    f"{fitted}, free": others[str(fitted)].free,
    "the mean": others["mean"].free,
}
print("root of the mean squared error, of rows")
print(f"{'':16}" + "".join(f"{f'{a + 1}-{a + 20}':>10}" for a in rows))
errors = {}
for name, y in forecasts.items():
    errors[name] = [tg.train.rmse(d[a : a + 20], y[a : a + 20]) for a in rows]
    print(f"{name:16}" + "".join(f"{one:10.3g}" for one in errors[name]))
for remark in found.remarks:
    print(remark)
free, ahead = errors["network, free"], errors["network, ahead"]
assert free[0] < errors["the mean"][0] / 4
assert max(free[2:]) > 4 * free[0]
assert max(free) > 5 * max(ahead)

# %% tags=["prose"]
try:
    ax = tg.plot_axes()
    ax.plot(np.arange(start, 1100), d, label="what came")
    ax.plot(np.arange(start, 1100), found.network.free[:, 0], linestyle="--", label="free run")
    ax.set(xlabel="row", title="All rows told from those before row 1000")
    ax.legend(frameon=False)
except ImportError as missing:
    print(missing)

# %% [markdown]
# It begins well, and ends otherwise. Nothing is promised for the end: train with `seed=1` or `seed=2`, and see another
# one. Why is that?
#
# **Small differences grow.** This is so in the series itself, without any network. Look for two stretches of ten rows
# that are nearly the same, at different times, and see how the series went on after each.

# %%
past = np.lib.stride_tricks.sliding_window_view(x[: known - 40], 10)
apart = np.sqrt(((past[:, None] - past[None]) ** 2).mean(axis=2))
apart[np.abs(np.subtract.outer(np.arange(len(past)), np.arange(len(past)))) < 30] = np.inf
twin = apart.argmin(axis=1)
pairs = np.argsort(apart.min(axis=1))[:100]  # the hundred that are most alike
print("rows later   apart, in standard deviations of the series")
drift = {}
for later in (0, 5, 10, 20, 40):
    gap = x[pairs + 9 + later] - x[twin[pairs] + 9 + later]
    drift[later] = np.sqrt((gap**2).mean()) / x[:known].std()
    print(f"{later:10}   {drift[later]:.3f}")
assert drift[20] > 3 * drift[0]

# %% [markdown]
# So a small error at the first row of a free run is several times as large twenty rows later, however good the network
# is. Such series are called *chaotic*: a rule tells each row from those before, and yet nobody can tell far ahead.
#
# **What is rare is hardly learned.** From time to time the laser's swings, which have grown for a long while, collapse,
# and begin anew from small ones. How many times was that to be seen in the 900 rows? We call it a collapse when the
# highest of twelve rows is less than half of the highest of the twelve before. (The series of Mackey and Glass has
# none.)

# %%
high = np.lib.stride_tricks.sliding_window_view(x, 12).max(axis=1)
falls = high[12:] < high[:-12] / 2
collapses = np.flatnonzero(falls[1:] & ~falls[:-1]) + 13
seen, kept = (collapses < known).sum(), collapses[collapses >= start]
print(f"collapses to learn from: {seen}; in the drawer, at row: {kept}")
assert (seen > 0) == (len(kept) > 0) == (series == "laser")
assert seen < 10

# %% [markdown]
# One step ahead, this does not matter much, for the network is given the true rows in the middle of a collapse. On its
# own it has to know when the next one comes, to the row, from a handful that it has seen. A free run that collapses a
# few rows too early or too late, or not at all, is wrong from there on.
#
# So what is a forecast worth? Say of each how far ahead it tells, what it may read, what its error is beside
# persistence and an autoregression, and that the rows it was judged by had no part in anything before. The table has it
# all.

# %%
print(found)
assert found.start == start
assert len(found.true) == 100
