"""Data that the package brings along, all in the public domain: three series, and a text."""

from __future__ import annotations

import io
from importlib import resources
from typing import NamedTuple

from ..autodiff.asked import asked
from .tables import Table, table
from .texts import Text, text


class Shipped(NamedTuple):
    """A file that the package holds as it was found: whose it is, and how to tell that it is still the same."""

    file: str
    sha256: str
    licence: str
    source: str


SUNSPOTS = Shipped(
    "sunspots.csv",
    "f67889b1d9002cd5227f0e0ef54e35b419cdd85a31279adef6f73fb41e5c0a9b",
    "public domain",
    "National Geophysical Data Center, yearly means; as in statsmodels 0.15.0, which says: This data is public domain.",
)
NILE = Shipped(
    "nile.csv",
    "88e97bea7249e5832a85e41aec6ce4b8f7b1b14aae930c8363da7f193286b598",
    "public domain",
    "Cobb (1978), The problem of the Nile; as in statsmodels 0.15.0, which says: This is public domain.",
)
CO2 = Shipped(
    "co2.csv",
    "16695fa2786e53414e5a6b54767a3fdf5de99cfbc68617f69d1362d92776a92f",
    "public domain",
    "Keeling and Whorf (2004), Carbon Dioxide Information Analysis Center; as in statsmodels 0.15.0, which says: This "
    "is public domain.",
)
CONSTITUTION = Shipped(
    "constitution.txt",
    "e398fe77f26f1ba6ea7ccc6e6f0b0c91c6de08ec7f1e5efa6be60dd39ccce4e6",
    "public domain",
    "National Archives of the United States; as in Debian's miscfiles 1.5+dfsg-4, which says: public-domain.",
)
SHIPPED = (SUNSPOTS, NILE, CO2, CONSTITUTION)


class ShippedContent(io.BytesIO):
    """The bytes of a file, with the name to call it by in messages."""

    def __init__(self, shipped: Shipped) -> None:
        folder = resources.files(__package__) / "public_domain"
        super().__init__((folder / shipped.file).read_bytes())
        self.name = shipped.file


@asked
def sunspots() -> Table:
    """Yearly numbers of sunspots, 1700 to 2008.

    Returns
    -------
    Table
        309 rows of one column, ``SUNACTIVITY``; the years are 1700 + row.

    Notes
    -----
    Often one fits on 1700 to 1920, which are the rows before 221, and tells 1921 to 1955, one year ahead.
    """
    return table(ShippedContent(SUNSPOTS))


@asked
def nile() -> Table:
    """How much water the Nile had at Aswan in each year from 1871 to 1970, in 10^8 cubic metres.

    Returns
    -------
    Table
        100 rows of one column, ``volume``. About 1898, its mean falls.
    """
    return table(ShippedContent(NILE))


@asked
def co2(*, missing: str = "refuse") -> Table:
    """Carbon dioxide in the air above Mauna Loa, week by week from 1958 to 2001, in parts per million.

    Parameters
    ----------
    missing : {"refuse", "interpolate", "hold", "drop"}
        What to do with the 59 weeks in which nothing was measured, see `table`.

    Returns
    -------
    Table
        2,284 rows of one column, ``co2``, with their dates.

    Raises
    ------
    DataError
        Unless `missing` says what to do.
    ValueError
        If it is none of these.
    """
    return table(ShippedContent(CO2), date_column="date", date_format="%Y%m%d", missing=missing)


@asked
def constitution() -> Text:
    """The Constitution of the United States with its amendments, a small text to learn.

    Returns
    -------
    Text
        45,345 characters, 71 different ones.
    """
    return text(ShippedContent(CONSTITUTION))
