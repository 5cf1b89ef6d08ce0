# %% [markdown]
# # Four ways to get a tape wrong: reverse mode
#
# * **Goal**: send an error back through a list by hand, and see four mistakes coming
# * **Needs**: lesson 2, Python functions
# * **Words**: reverse mode, automatic differentiation, tape, computational graph
#
# Lesson 2 ended with a rule that fits in one sentence: go through the list from the last line to the first, and let
# every line hand its share to those it has read, where shares are added.
#
# It is a short program, and people write it again and again. Here are four mistakes that keep coming back. None of them
# shows in a small first test: one is right as long as nothing is read twice, two are fine as long as the sequence is
# short, and one is right as long as it is called once. We write each of them and watch it fail.
#
# ## A unit that guards itself
#
# We need a chain in which numbers are read more than once. A gate does that. It looks at the state and decides
# how much of the same state may pass:
#
# $$
# z(t) = \tanh(s(t-1)), \qquad s(t) = z(t)\, s(t-1).
# $$
#
# Here are two steps of it. Two arcs leave each state: one goes to the gate, one past it.

# %%
import math
import sys
from dataclasses import dataclass

import tinygrad_rnn as tg


def gated(T, start=1.5):
    tape = tg.Tape()
    s = tape.leaf(start, "s_0")
    for t in range(1, T + 1):
        z = tg.ops.tanh(s, name=f"z_{t}")
        s = tg.ops.multiply(z, s, name=f"s_{t}")
    return tape


tape = gated(2)
tape.backward()
tg.draw(tape)

# %% [markdown]
# To get it wrong, we need a tape that can be got wrong. This one is small. A line knows its value, and whom it read
# with which direct derivative.


# %%
@dataclass
class Line:
    value: float
    reads: tuple = ()  # pairs: a line above, and the direct derivative with respect to it
    gradient: float = 0.0


def small_gated(T, start=1.5):
    lines = [Line(start)]
    for _ in range(T):
        s = lines[-1]
        z = Line(math.tanh(s.value), ((s, 1 - math.tanh(s.value) ** 2),))
        lines += [z, Line(z.value * s.value, ((z, s.value), (s, z.value)))]
    return lines


def right(T):
    tape = gated(T)
    tape.backward()
    return float(tape[0].cotangent)


push = 1e-6
moved = [small_gated(3, 1.5 + way * push)[-1].value for way in (+1, -1)]
measured = (moved[0] - moved[1]) / (2 * push)
print(f"ds(3)/ds(0): measured {measured:.8f}, from the library's tape {right(3):.8f}")
assert abs(measured - right(3)) < 1e-8

# %% [markdown]
# ## First: `=` where `+=` belongs
#
# The share is written over the one that was there before.


# %%
def overwriting(lines):
    lines[-1].gradient = 1.0
    for line in reversed(lines):
        for above, direct in line.reads:
            above.gradient = line.gradient * direct
    return lines[0].gradient


for T in (1, 2, 3):
    got = overwriting(small_gated(T))
    print(f"T = {T}: {got:.6f}, and {right(T):.6f} would be right")
    assert abs(got - right(T)) > 0.1 * abs(right(T))

# %% [markdown]
# The state gets a share from the gate and one from the product. The one that comes later wins, the other is lost. Why
# does this mistake live so long? Because on a chain where nothing is read twice it is no mistake:

# %%
chain = [Line(1.5)]
for _ in range(3):
    chain.append(
        Line(math.tanh(chain[-1].value), ((chain[-1], 1 - math.tanh(chain[-1].value) ** 2),))
    )
product = math.prod(line.reads[0][1] for line in chain[1:])
print(f"three tanh in a row: {overwriting(chain):.8f}, and {product:.8f} is right")
assert math.isclose(overwriting(chain), product)

# %% [markdown]
# So test a tape on something that is read twice. A recurrent network has such a thing in every step: its weights.
#
# ## Second: walking every way
#
# This one is short, and its numbers are right. It takes the gradient by the hand and walks up from the end.


# %%
def walking(line, g=1.0):
    """Return how many visits it took."""
    line.gradient += g
    return 1 + sum(walking(above, g * direct) for above, direct in line.reads)


counted = {}
for T in (4, 8, 12, 16):
    lines = small_gated(T)
    counted[T] = walking(lines[-1])
    print(f"T = {T:>2}: {len(lines):>2} lines, {counted[T]:>6} visits")
    assert math.isclose(lines[0].gradient, right(T))

# %% [markdown]
# The answers are right, all of them. But each state is reached by twice as many ways as the one after it, and
# this program goes every way.

# %%
growth = [counted[T + 4] / counted[T] for T in (4, 8, 12)]
print("four steps more cost", ", ".join(f"{g:.2f}" for g in growth), "times as much")
assert all(abs(g - 2**4) < 1 for g in growth)
shares = {T: sum(1 for _ in gated(T).pullback()) for T in (4, 8, 12, 16)}
print("shares that the library's tape hands on:", shares)
assert all(shares[T] == 3 * T for T in shares)
years = counted[16] * 2.0 ** (100 - 16) * 1e-7 / (365 * 24 * 3600)
print(f"100 steps, at ten million visits a second: {years:.0e} years")
assert years > 1e10

# %% [markdown]
# A tape hands on one share for each arc, three in each step, and is done. It waits until a line has **all** its
# shares and passes on their sum. That is the whole difference: add first, then go on.
#
# Every network with gates is like this; lesson 14 shows the two that everybody uses, the LSTM and the GRU. On a plain
# recurrent network the same program looks harmless, and that is where it is usually tried out. There a state is read
# by the next state and by a cost of its own, and only as many ways lead to it from the end as there are costs after it.


# %%
def small_plain(T, start=1.5):
    s, total = Line(start), Line(0.0)
    lines = [s, total]
    for _ in range(T):
        s = Line(math.tanh(s.value), ((s, 1 - math.tanh(s.value) ** 2),))
        total = Line(total.value + s.value, ((total, 1.0), (s, 1.0)))
        lines += [s, total]
    return lines


plain = {T: walking(small_plain(T)[-1]) for T in (50, 100, 200)}
print("visits without gates:", plain)
assert all(plain[2 * T] < 4.1 * plain[T] for T in (50, 100))

# %% [markdown]
# Twice as many steps cost four times as much. That is too much, but nobody notices it in a small test.
#
# ## Third: recursion
#
# The usual cure for the second mistake is to sort the lines first, so that each comes after all who read it. The usual
# way to sort is a function that calls itself.


# %%
def sorted_by_recursion(line, order, seen):
    if id(line) not in seen:
        seen.add(id(line))
        for above, _ in line.reads:
            sorted_by_recursion(above, order, seen)
        order.append(line)


T = sys.getrecursionlimit()
try:
    sorted_by_recursion(small_gated(T)[-1], [], set())
except RecursionError as error:
    failed = f"RecursionError: {error}"
print(f"T = {T}: {failed}")
assert failed.startswith("RecursionError")

# %% [markdown]
# Each step of the sequence goes deeper into the recursion, and Python has an end to that. The length of a text or of a
# recording is not something that a program should fall over.
#
# But nothing needs to be sorted. The tape was *recorded* in an order that is right already. It is a list; read it
# backwards.

# %%
T = 20_000
long = tg.Tape()
s = long.leaf(1.0, "s_0")
for _ in range(T):
    s = 0.9999 * s
long.backward()
print(
    f"T = {T}: {len(long)} lines, no recursion, ds(T)/ds(0) = {float(long[0].cotangent):.6f}"
)
assert math.isclose(long[0].cotangent, 0.9999**T)

# %% [markdown]
# ## Fourth: the second pass remembers the first
#
# Now with sorted lines and with `+=`. It is right, at last. And then somebody calls it again.


# %%
def backward(lines):
    lines[-1].gradient = 1.0
    for line in reversed(lines):
        for above, direct in line.reads:
            above.gradient += line.gradient * direct
    return lines[0].gradient


def doubling(n):
    chain = [Line(2.0)]
    for _ in range(n):
        chain.append(Line(2 * chain[-1].value, ((chain[-1], 2.0),)))
    return chain


chain = doubling(4)
first, second = backward(chain), backward(chain)
print(f"first pass {first:g}, second pass {second:g}")
assert first == 2**4
assert second == 5 * first

# %% [markdown]
# What would be right? Some libraries mean to *collect*: after two passes the first line should hold twice the
# gradient. Others mean to *begin afresh*: the same gradient again. Five times is neither. The lines in
# between still held what the first pass had left there, and handed it on a second time. It gets worse with every
# line in between.

# %%
for n in (1, 2, 4, 8):
    chain = doubling(n)
    first, second = backward(chain), backward(chain)
    print(f"{len(chain)} lines: the second pass gives {second / first:g} times the gradient")
    assert second == (n + 1) * first

# %% [markdown]
# This library's tape begins afresh. Each pass forgets what came back in the one before it.

# %%
tape = gated(4)
tape.backward()
first = float(tape[0].cotangent)
tape.backward()
second = float(tape[0].cotangent)
print(f"first pass {first:.6f}, second pass {second:.6f}")
assert first == second

# %% [markdown]
# ## What is left
#
# Take the four mistakes away, and this is what remains. It is the whole of reverse mode differentiation, of one number
# with respect to all that it was computed from:
#
# * a list, in the order of recording;
# * forget what the last pass has left;
# * put a 1 at the last line: it follows itself one to one;
# * from the last line to the first, hand on shares;
# * add them.

# %%
lines = small_gated(8)
for line in lines:
    line.gradient = 0.0
assert math.isclose(backward(lines), right(8))
print(f"ds(8)/ds(0) = {lines[0].gradient:.10f}, and the library finds {right(8):.10f}")

# %% [markdown]
# The library's own loop is no longer than ours; it forgets by beginning a new pass, whose numbers stand apart from the
# list. The site's page *The tape, read line by line* has all of it.
#
# Now that the tape can be trusted, we let it watch somebody who did all this with pencil and paper. The next lessons
# read Jiang Guo's report from its first equation to its last.
