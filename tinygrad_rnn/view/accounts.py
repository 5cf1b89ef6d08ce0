"""The ledgers of a trace: what each copy of a weight gives, as strings to be shown and as numbers to be coloured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.notation import number, plain, symbol
from ..autodiff.traits import is_tie
from ..through_time.influence import influence
from ..through_time.windows import truncation_mask
from ..unfold import Step, Unfolded
from .ledger import MOST_COLUMNS, digits, entries, part_along, written
from .tiles import NAMED as MOST_ENTRIES
from .tiles import blocks

Array = NDArray[Any]
Others = dict[str, tuple[int, Array]]  # by name, how far errors go back, and what each copy gives then
OTHER = "the other"  # what a network is called that the shares are held against
MOST_COSTS = 60  # time steps: each of their costs is asked for what it gave to each copy
MOST_REACHES = 8  # time steps of a network whose truncations are all shown
MOST_SAMPLES = 4  # whose products are shown one by one


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a ledger: which copies, their share, and the step in which it arrives."""

    copies: str
    cells: tuple[str, ...]
    arrives: int


@dataclass(frozen=True, slots=True)
class Amount:
    """A share, or a sum of shares: to be read, and to be coloured.

    Attributes
    ----------
    texts : tuple of str
        Its entries, row by row; none if there are too many.
    values : tuple of float or None
        The same as numbers, None for what is not finite; of too many, the lengths of blocks.
    length : str
        Its Euclidean length.
    percent : str
        How much of the gradient it is, measured along it; empty where there is none.
    """

    texts: tuple[str, ...]
    values: tuple[float | None, ...]
    length: str
    percent: str

    def reads_as(self, other: Amount) -> bool:
        """Whether a reader is shown the same: what is added up in another order may differ in a last bit."""
        return (self.texts, self.length, self.percent) == (other.texts, other.length, other.percent)


@dataclass(frozen=True, slots=True)
class Factors:
    """A product that a share is made of: an error that came back, times what the copy multiplied.

    Attributes
    ----------
    label : str
        The sample, such as ``sample 2``; empty if there is one product alone.
    error, read : (str, tuple of str)
        The two factors: name and entries.
    entries : tuple of str
        The entries of the product, row by row; none if it is the whole share.
    """

    label: str
    error: tuple[str, tuple[str, ...]]
    read: tuple[str, tuple[str, ...]]
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one copy gives, or what those of several time steps give together, which are not drawn one by one.

    Attributes
    ----------
    first, last : int
        The time steps.
    arrives : int
        The number of the step in which the last of it arrives.
    copy : str
        The id of the copy in the pictures; empty if it is several.
    share, so_far : Amount
        What it gives, and what has been added up when it has come.
    costs : tuple of str
        How much of the gradient each column's costs gave to it; empty where nobody has asked.
    products : tuple of Factors
        What the share is made of; none if it is no product.
    """

    first: int
    last: int
    arrives: int
    copy: str
    share: Amount
    so_far: Amount
    costs: tuple[str, ...]
    products: tuple[Factors, ...]


@dataclass(frozen=True, slots=True)
class Other:
    """What the copies would give otherwise: the error truncated, or another network's.

    Attributes
    ----------
    name : str
        What it is called.
    reach : int
        How many time steps each error goes back; 0 if this is no truncation.
    shares : tuple of Amount
        Column by column.
    total : Amount
        Their sum.
    cosine : str
        That of the angle between this sum and the gradient.
    errors : tuple of tuple of str
        Column by column the error that gives the share, if it is one product; empty where nobody knows.
    """

    name: str
    reach: int
    shares: tuple[Amount, ...]
    total: Amount
    cosine: str
    errors: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """The ledger of one weight as it fills: the share of each copy, and after each step what has been added up.

    Attributes
    ----------
    weight : str
        The weight's name in plain text.
    columns : tuple of str
        An entry of the weight each, or the length where there are too many.
    rows : tuple of Row
        One for each time step, or for the time steps that are not shown.
    sums : tuple of (int, tuple of str)
        The number of a step, and what has been added up after it; of the time steps that are not shown, once.
    id : str
        The weight's name as it is written in a program; what follows is missing in a trace of version 1.
    shape : tuple of int
        The weight's shape.
    entries : tuple of str
        The names of its entries, if they are not too many.
    shares : tuple of Contribution
        The ledger on its side: one for each column of the picture.
    total : Amount or None
        The gradient.
    others : tuple of Other
        What the copies would give otherwise.
    """

    weight: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    sums: tuple[tuple[int, tuple[str, ...]], ...]
    id: str = ""
    shape: tuple[int, ...] = ()
    entries: tuple[str, ...] = ()
    shares: tuple[Contribution, ...] = ()
    total: Amount | None = None
    others: tuple[Other, ...] = ()

    def after(self, number: int) -> list[tuple[str, tuple[str, ...]]]:
        """The rows as they stand after the step of this number, empty where nothing has arrived, and their sum."""
        rows = [(row.copies, row.cells if row.arrives <= number else ()) for row in self.rows]
        sums = [cells for arrives, cells in self.sums if arrives <= number]
        return [*rows, ("sum so far", sums[-1] if sums else ())]


def spans(shown: Sequence[int]) -> list[tuple[int, int]]:
    """The first and the last time step of each column: those that are shown, and between them those that are not."""
    found, last = [], 0
    for t in shown:
        found += [(last + 1, t - 1)] if t - last > 1 else []
        found.append((t, t))
        last = t
    return found


class Book:
    """One weight's ledger while the error comes back; of the time steps that are not shown it keeps the sum."""

    def __init__(self, weight: str, shape: tuple[int, ...], shown: tuple[int, ...]) -> None:
        self.weight, self.shape, self.shown = weight, shape, shown
        self.arrived: dict[int, tuple[int, Array, Array, Step]] = {}  # by the first time step: last, share, sum, step
        self.products: dict[int, list[tuple[str, Array, str, Array]]] = {}  # by the copy
        self.hidden: list[int] = []  # the time steps that are not shown, from the last one backwards,
        self.sum: Any = 0.0  # what their shares add up to,
        self.last: Step | None = None  # and the last of their shares, until its sum is written down

    def enter(self, step: Step) -> None:
        """A copy hands its share on."""
        t = step.node.t or 0
        if t and t not in self.shown:
            self.hidden.append(t)
            self.sum, self.last = self.sum + step.value, step
            return
        self._sum_up()
        self.arrived[t] = t, step.value, np.array(step.after), step

    def note(self, step: Step) -> None:
        """A copy receives a share: if this is an error times what the copy multiplied, sample by sample, keep both."""
        reads = step.reads
        if step.share is None or len(reads) != 2 or any(read.value.ndim != 2 for read in reads):
            return
        (error, read), g = reads, step.value
        if len(error.value) != len(read.value) or g.shape != (error.value.shape[1], read.value.shape[1]):
            return
        with np.errstate(all="ignore"):
            if np.allclose(error.value.T @ read.value, g, rtol=1e-9, atol=1e-300, equal_nan=True):
                found = error.name, error.value, read.name, read.value
                self.products.setdefault(step.share.parent.index, []).append(found)

    def _sum_up(self) -> None:
        """Write down what has come once all that is not shown has come: each sum is a look at all copies so far."""
        if self.last is not None:
            self.arrived[self.hidden[-1]] = self.hidden[0], self.sum, np.array(self.last.after), self.last
            self.hidden, self.sum, self.last = [], 0.0, None

    def account(self, given: Array | None, others: Others) -> Account:
        """The ledger.

        Parameters
        ----------
        given : ndarray, (T, T, ...), or None
            What each cost gave to each copy, if that is known.
        others : mapping
            By name, how far errors go back and what each copy, (T, ...), would give then.
        """
        self._sum_up()
        columns = spans(self.shown) if any(self.arrived) else []
        ordered = sorted(self.arrived.values(), key=lambda each: each[3].number)
        gradient, first_sum, earliest = ordered[-1][2], ordered[0][2], ordered[0][3]
        amounts = Amounts(gradient)

        def costs(first: int, last: int) -> tuple[str, ...]:
            if given is None:
                return ()
            part = given[:, first - 1 : last].sum(axis=1)
            return tuple(amounts.percent(part[a - 1 : b].sum(axis=0)) if b >= first else "" for a, b in columns)

        shares = []
        for first, last in columns:
            # A copy that no error came back to gives nothing, and that is known from the first share on.
            _, share, so_far, step = self.arrived.get(first) or (last, 0 * gradient, first_sum, earliest)
            copy = step.node if first == last and first in self.arrived else None
            products = tuple(self._products(copy.index, share)) if copy is not None else ()
            shares.append(
                Contribution(
                    first,
                    last,
                    step.number,
                    "" if copy is None else f"n{copy.index}",
                    amounts.of(share),
                    amounts.of(so_far),
                    costs(first, last),
                    products,
                )
            )
        return Account(
            plain(symbol(self.weight)),
            *self._table(ordered, gradient.size <= MOST_COLUMNS),
            self.weight,
            self.shape,
            tuple(entries(self.weight, self.shape)) if gradient.size <= MOST_ENTRIES else (),
            tuple(shares),
            amounts.of(gradient),
            tuple(
                Other(
                    name,
                    reach,
                    tuple(amounts.of(each[a - 1 : b].sum(axis=0)) for a, b in columns),
                    amounts.of(each.sum(axis=0)),
                    amounts.cosine(each.sum(axis=0)),
                    tuple(self._error(c.copy, each[c.first - 1]) for c in shares) if reach else (),
                )
                for name, (reach, each) in others.items()
            ),
        )

    def _table(
        self, ordered: Sequence[tuple[int, Array, Array, Step]], small: bool
    ) -> tuple[tuple[str, ...], tuple[Row, ...], tuple[tuple[int, tuple[str, ...]], ...]]:
        """The columns, rows and sums of an account, entry by entry if it is small."""
        sums = {k: so_far for k, (_, _, so_far, _) in enumerate(ordered, 1)}
        more = digits([share for _, share, _, _ in ordered], sums) if small else None

        def cells(values: Array, more: list[int] | None = None) -> tuple[str, ...]:
            return tuple(written(values, more)) if small else (number(float(np.linalg.norm(values))),)

        rows = tuple(
            Row(str(t) if t == last else f"{t} to {last}", cells(share, more), step.number)
            for t, (last, share, _, step) in sorted(self.arrived.items(), key=lambda each: each[0])
        )
        columns = tuple(entries(self.weight, self.shape)) if small else ("‖share‖",)
        return columns, rows, tuple((step.number, cells(so_far)) for _, _, so_far, step in ordered)

    def _error(self, copy: str, share: Array) -> tuple[str, ...]:
        """The error that times what the copy multiplied gives this share, if it is one product and that is not 0."""
        found = self.products.get(int(copy[1:]), []) if copy else []
        if len(found) != 1 or len(found[0][3]) != 1 or share.size > MOST_ENTRIES:
            return ()
        read = found[0][3][0]
        with np.errstate(all="ignore"):
            error = share @ (read / (read @ read))
            known = np.allclose(np.outer(error, read), share, rtol=1e-9, atol=1e-12 * np.abs(share).max(initial=0.0))
        return _texts(error) if known and np.isfinite(error).all() else ()

    def _products(self, copy: int, share: Array) -> Iterator[Factors]:
        found = self.products.get(copy, [])
        samples = [(k, *each) for each in found for k in range(len(each[1]))]
        if not samples or not np.allclose(sum(e.T @ x for _, e, _, x in found), share, rtol=1e-9, atol=1e-300):
            return
        for k, error_name, error, read_name, read in samples[:MOST_SAMPLES]:
            e, x = error[k], read[k]
            alone = len(samples) == 1
            label = "" if alone else f"sample {k + 1}" if len(found) == 1 else f"{error_name}, sample {k + 1}"
            yield Factors(
                label,
                (error_name, _texts(e)),
                (read_name, _texts(x)),
                () if alone or share.size > MOST_ENTRIES else _texts(np.outer(e, x)),
            )


class Amounts:
    """Shares of one gradient, written down."""

    def __init__(self, gradient: Array) -> None:
        self.gradient = gradient

    def of(self, share: Array) -> Amount:
        """A share with all that is shown of it."""
        many = share.size > MOST_ENTRIES
        return Amount(
            () if many else _texts(share),
            tuple(map(finite, np.ravel(blocks(share)[0] if many else share))),
            number(float(np.linalg.norm(share))),
            self.percent(share),
        )

    def percent(self, share: Array) -> str:
        """How much of the gradient a share is, measured along it: these add up to 100."""
        along = part_along(share, self.gradient)
        if along is None:
            return ""
        part = 100 * along
        text = f"{part:.0f}" if abs(part) >= 99.95 or abs(part) < 0.05 else f"{part:.1f}"
        return f"{'0' if text == '-0' else text.replace('-', '−')} %"

    def cosine(self, share: Array) -> str:
        """The cosine of the angle between a share and the gradient."""
        length = float(np.linalg.norm(share)) * float(np.linalg.norm(self.gradient))
        part = float((share * self.gradient).sum()) / length if length else math.nan
        return f"{part:.2f}".replace("-", "−") if math.isfinite(part) else ""


def finite(value: Any) -> float | None:
    """A number as JSON can hold it."""
    return float(value) if math.isfinite(value) else None


def _texts(values: Array) -> tuple[str, ...]:
    return tuple(number(float(v)) for v in np.ravel(values))


def given_by_costs(net: Unfolded, weight: str, counted: Sequence[float], copies: Array) -> Array | None:
    """What each cost gives to each copy of a weight, (T, T, ...), each cost counted as it is; None if nobody can say.

    A network whose steps are not copies of one step has no influence to be read, nor has one with cuts.
    """
    if net.T > MOST_COSTS or copies[0].size > MOST_ENTRIES:
        return None
    try:
        each = influence(net, weight)
    except (KeyError, ValueError):
        return None
    each = np.asarray(counted).reshape(-1, *[1] * (each.ndim - 1)) * each
    size = float(np.abs(copies).max(initial=0.0))
    return each if np.allclose(each.sum(axis=0), copies, rtol=1e-7, atol=1e-9 * size) else None


def truncations(given: Array | None) -> dict[str, tuple[int, Array]]:
    """What each copy gives if errors go back k2 time steps, for every k2 that leaves something out."""
    if given is None or len(given) > MOST_REACHES:
        return {}
    T = len(given)
    masks = {k2: truncation_mask(T, k1=1, k2=k2) for k2 in range(1, T)}
    return {f"k₂ = {k2}": (k2, np.einsum("tc,tc...->c...", mask, given)) for k2, mask in masks.items()}


def copied(step: Step) -> bool:
    """Whether a step sends a share into a copy of a weight."""
    return step.share is not None and is_tie(step.share.parent) and not is_tie(step.node)
