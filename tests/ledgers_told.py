"""What must hold of a trace's ledgers in every network: asked of many cells, and of those of all lessons."""

import math

import numpy as np

from tinygrad_rnn.autodiff.traits import is_tie
from tinygrad_rnn.view.page_data import quiet
from tinygrad_rnn.view.trace import MOST_WORKED


def floats(values):
    return np.array(values, dtype=float)


def percent(text):
    return float(text.removesuffix(" %").replace("−", "-")) if text else 0.0


def number(text):
    return float(text.replace("−", "-"))


def they_add_up(net, shown):
    """The shares of each weight are its gradient, however many have come."""
    net.backward()
    told = {account.id: account for account in shown.accounts if account.shares}
    acting = {name for name, w in net.weights.items() if any(n.t and w in n.parents for n in net.tape)}
    assert set(told) <= acting
    assert not any(net.grads[name].any() for name in acting - set(told))
    for name, account in told.items():
        total = floats(account.total.values)
        if not account.entries or not np.isfinite(total).all():  # the lengths of blocks do not add up
            continue
        shares = floats([column.share.values for column in account.shares])
        rounding = 1e-12 * np.abs(shares).max() + 1e-14  # what explodes and cancels has lost the digits of its parts
        np.testing.assert_allclose(total, net.grads[name].ravel(), rtol=1e-12, atol=rounding)
        at_start = [n for n in copies(net, net.weights[name]) if not n.t]
        if not at_start:
            np.testing.assert_allclose(shares.sum(axis=0), total, rtol=1e-12, atol=1e-12 * np.abs(shares).max())
            parts = [percent(column.share.percent) for column in account.shares]
            rounded = sum(0.06 if abs(part) < 99 else 0.51 for part in parts)  # of large ones no decimals are shown
            assert not total.any() or abs(sum(parts) - 100) < rounded
        by_arrival = sorted(account.shares, key=lambda column: column.arrives)
        so_far = np.cumsum([column.share.values for column in by_arrival], axis=0)
        np.testing.assert_allclose(floats([c.so_far.values for c in by_arrival]), so_far, rtol=1e-9, atol=1e-12)


def copies(net, weight):
    return [n for n in net.tape if is_tie(n) and n.parents[0] is weight]


def road(shown, node, found=None):
    """The backward steps through which an error came to a node, as the page's script finds them."""
    found = set() if found is None else found
    todo, seen = [node], {node}
    while todo:
        node = todo.pop()
        after = [(m.number, m.node) for m in shown.moments if m.phase == "backward" and m.parent == node]
        found |= {number for number, _ in after}
        new = {n for _, n in after} | {far for near, far in shown.bridges if near == node}
        todo += new - seen
        seen |= new
    return found, seen


def roads_are_the_tapes(net, shown):
    """A copy's error came through its ancestors on the tape, and through no other node."""
    if shown.bridges:  # time steps are left out: what is between is not in the trace
        return
    alive = {m.node for m in shown.moments if m.phase == "backward"}
    readers = {}
    for n in net.tape:
        for p in n.parents:
            readers.setdefault(f"n{p.index}", set()).add(f"n{n.index}")
    for account in shown.accounts:
        for column in account.shares:
            _, seen = road(shown, column.copy)
            right, todo = {column.copy}, [column.copy]
            while todo:
                new = {n for n in readers.get(todo.pop(), ()) if n in alive} - right
                right |= new
                todo += new
            assert seen <= right
            got = {f"n{net.cost.index}"}  # of these, those that got an error and hand it on
            for m in shown.moments:
                if m.phase == "backward" and m.node in got:
                    got.add(m.parent)
            assert {n for n in right if n in got} == {n for n in seen if n in got}


def chains_end_at_a_cost(net, shown):
    """Each error's largest share, and in it the entry that counts most, until a cost is reached."""
    costs = {node for node, _ in shown.costs} | {f"n{net.cost.index}"}
    back = [m for m in shown.moments if m.phase == "backward"]
    chains = 0
    for account in () if shown.bridges else shown.accounts:
        for column in account.shares:
            for start in (m for m in back if m.parent == column.copy):
                for entry in start.entries:
                    m, asked, taps = start, entry, 0
                    while m.node not in costs:
                        k = next(k for k, (_, what) in enumerate(m.origins) if what == "cotangent")
                        at = asked.reads[k]
                        if at < 0 or not np.isfinite(
                            number(asked.value)
                        ):  # an error that is 0 throughout came from nowhere
                            break
                        before = [b for b in back if b.parent == m.node and b.number < m.number]
                        assert before, m.text
                        m = max(before, key=lambda b: abs(number(b.entries[at].value)) if b.entries else 0.0)
                        if not m.entries:
                            assert m.node in costs or quiet(m) or math.prod(m.shape) > MOST_WORKED
                            break
                        asked, taps = m.entries[at], taps + 1
                        assert taps <= len(back)
                    else:
                        chains += 1
    return chains
