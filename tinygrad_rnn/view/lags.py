"""The film of a run on its page: a row for each moment, a column for each lag, and when long lags begin to count."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from .charts import Chart, Trend, per_cent

LONG = (5, 10, 20)  # lags
IN_A_ROW = 3  # moments
LEAST = 0.02  # share
TIMES = 3  # the median of the first moments
DEEP = 60.0  # decibels below the largest that have a colour


@dataclass(frozen=True, slots=True)
class FilmRow:
    """A moment of a run.

    Attributes
    ----------
    update : int
        After how many updates.
    phi : sequence of int or None
        By lag, how long the share of a copy so many steps before a cost is, in decibels; None is 0.
    sigma : sequence of sequence of int
        Of each recurrent matrix the largest singular value and the median, in hundredths.
    text : str
        What the network writes, if it learns a text.
    """

    update: int
    phi: Sequence[int | None]
    sigma: Sequence[Sequence[int]]
    text: str = ""

    @property
    def lengths(self) -> list[float]:
        """The lengths by lag."""
        return [0.0 if one is None else 10 ** (one / 20) for one in self.phi]

    def share(self, lag: int) -> float:
        """What part of all lengths lies so many steps back, and more."""
        lengths = self.lengths
        return sum(lengths[lag:]) / (sum(lengths) or 1.0)

    @property
    def mean(self) -> float:
        """The mean lag."""
        lengths = self.lengths
        return sum(lag * one for lag, one in enumerate(lengths)) / (sum(lengths) or 1.0)

    @property
    def largest(self) -> str:
        """The largest singular value of each matrix."""
        return ", ".join(f"{each[0] / 100:.2f}" for each in self.sigma if each)


@dataclass(frozen=True, slots=True)
class FilmStrip:
    """All moments of a run, in their order.

    Attributes
    ----------
    rows : sequence of FilmRow
        The moments.
    reach : int
        How many steps an error went back in training, at least: k2 - k1 + 1 for the first of the new costs, k2 for the
        last one, which is this number.
    """

    rows: Sequence[FilmRow]
    reach: int

    @property
    def lags(self) -> int:
        """How many lags there are, from 0 on."""
        return max((len(row.phi) for row in self.rows), default=0)

    @property
    def limits(self) -> tuple[float, float]:
        """The decibels that have the faintest and the strongest colour."""
        found = [one for row in self.rows for one in row.phi if one is not None]
        high = max(found, default=0)
        return max(min(found, default=0) - 1.0, high - DEEP), float(high)

    def heat(self, row: FilmRow) -> str:
        """The row as an SVG element: a square for each lag, the stronger, the longer."""
        low, high = self.limits
        parts = []
        for lag, one in enumerate(row.phi):
            if one is not None and one > low:
                part = (one - low) / ((high - low) or 1.0)
                parts.append(f'<rect x="{lag}" y="0" width="1.02" height="1" fill-opacity="{0.05 + 0.95 * part:.2f}"/>')
        return (
            f'<svg class="heat" viewBox="0 0 {max(self.lags, 1)} 1" preserveAspectRatio="none" aria-hidden="true" '
            f'focusable="false">{"".join(parts)}</svg>'
        )

    def long(self) -> list[tuple[int, str, float, float]]:
        """For each long lag, when it begins to count, and its share at the first moment and the last."""
        return [
            (lag, self._begins(lag), self.rows[0].share(lag), self.rows[-1].share(lag))
            for lag in LONG
            if self.rows and lag < self.lags
        ]

    def _begins(self, lag: int) -> str:
        shares = [row.share(lag) for row in self.rows]
        if len(shares) < 2 * IN_A_ROW:
            return "too few moments to say"
        limit = max(TIMES * statistics.median(shares[:IN_A_ROW]), LEAST)
        for k in range(len(shares) - IN_A_ROW + 1):
            if min(shares[k : k + IN_A_ROW]) > limit:
                return f"at update {self.rows[k].update:,}"
        return "not so far"

    def said(self, row: FilmRow) -> str:
        """A row in words."""
        shares = [f"{per_cent(row.share(lag))} at {lag} and more" for lag in LONG if lag < self.lags]
        long = f"; of all lengths {', '.join(shares)}" if shares else ""
        matrices = "matrix" if len(row.sigma) == 1 else f"{len(row.sigma)} matrices or gates"
        values = f" Largest singular value of the recurrent {matrices}: {row.largest}." if row.sigma else ""
        return f"After {row.update:,} updates the mean lag is {row.mean:.3g}{long}.{values}"

    def fading(self) -> str:
        """All rows as curves over the lags, each with its number as a class, so that the page can bring one forward."""
        chart = Chart(
            "fading",
            "How influence fades with the lag",
            "lag: steps from the cost back to the copy",
            "length",
            [
                Trend(f"after {row.update:,} updates", range(len(row.phi)), row.lengths, k)
                for k, row in enumerate(self.rows)
            ],
            factors=True,
        )
        return chart.svg("film")
