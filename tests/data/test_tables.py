"""Tables as people have them: each is read as it is meant, or refused with a reason and a way out."""

import datetime as dt
import gc
import io
import re
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_rnn.data import DataError, table
from tinygrad_rnn.data.cells import dates


def read(content, **settings):
    return table(io.BytesIO(content if isinstance(content, bytes) else content.encode()), **settings)


def said(content, **settings):
    return "\n".join(read(content, **settings).understood)


READ = {
    "dates": ('"Date","Temp"\n"1981-01-01",20.7\n"1981-01-02",17.9\n', {}, ["Temp"], [[20.7], [17.9]]),
    "German dates": ("Datum,Temp\n01.01.2024,22.5\n02.01.2024,18.3\n", {}, ["Temp"], [[22.5], [18.3]]),
    "American dates": ("d,v\n1/13/20 5:30 PM,5\n1/14/20 5:31 AM,6\n", {}, ["v"], [[5], [6]]),
    "months": ("Month,v\nJan-49,5\nFeb-49,6\n", {}, ["v"], [[5], [6]]),
    "months and short years": ("Month,v\n1-49,112\n2-49,118\n", {}, ["v"], [[112], [118]]),
    "quarters": ("q,v\n2020Q1,5\n2020Q2,6\n", {}, ["v"], [[5], [6]]),
    "dates and times of day": ("D;T;v\n16/12/2006;17:24:00;4.2\n16/12/2006;17:25:00;5\n", {}, ["v"], [[4.2], [5]]),
    "a form that is named": (
        "when,v\n20200102,5\n20200103,6\n",
        {"date_column": "when", "date_format": "%Y%m%d"},
        ["v"],
        [[5], [6]],
    ),
    "month names beside years": ('"Month", "1958"\n"JAN",  340\n"FEB",  318\n', {}, ["1958"], [[340], [318]]),
    "a byte order mark": (
        "\ufeffDate;Value\r\n12-04-1989;20,7\r\n03-11-1990;22,1\r\n",
        {},
        ["Value"],
        [[20.7], [22.1]],
    ),
    "UTF-16": ("a,b\n1,5\n2,7\n".encode("utf-16"), {}, ["a", "b"], [[1, 5], [2, 7]]),
    "UTF-16 that is named": (
        "a,b\n1,5\n2,7\n".encode("utf-16-be"),
        {"encoding": "utf-16-be"},
        ["a", "b"],
        [[1, 5], [2, 7]],
    ),
    "Windows-1252": ("°C,b\n1,5\n2,7\n".encode("cp1252"), {"encoding": "cp1252"}, ["°C", "b"], [[1, 5], [2, 7]]),
    "Excel's first line": ("sep=;\nt;v\n0;1,5\n1;2,5\n", {}, ["v"], [[1.5], [2.5]]),
    "bars": ("a|b\n1|5\n2|7\n", {}, ["a", "b"], [[1, 5], [2, 7]]),
    "tabs": ("a\tb\n1,5\t5\n2\t7\n", {}, ["a", "b"], [[1.5, 5], [2, 7]]),
    "spaces in columns": ("  year   v\n  1990  1.5\n  1991 12.5\n", {}, ["v"], [[1.5], [12.5]]),
    "another separator": ("a:b\n1:5\n2:7\n", {"sep": ":"}, ["a", "b"], [[1, 5], [2, 7]]),
    "a decimal comma": ("a;b\n1,5;2\n2;3,5\n", {}, ["a", "b"], [[1.5, 2], [2, 3.5]]),
    "one column with a decimal comma": ("y\n1,5\n2,5\n", {"sep": ";", "decimal": ","}, ["y"], [[1.5], [2.5]]),
    "the same in quotes": ('"y"\n"1,5"\n"2,5"\n', {}, ["y"], [[1.5], [2.5]]),
    "thousands": ('price\n"1,234.50"\n"250.00"\n', {"thousands": ","}, ["price"], [[1234.5], [250]]),
    "German thousands": ("a;b\n1.234,50;1\n250,25;3\n", {"thousands": "."}, ["a", "b"], [[1234.5, 1], [250.25, 3]]),
    "French thousands": ("a;b\n1\u202f234,5;1\n250;3\n", {"thousands": "space"}, ["a", "b"], [[1234.5, 1], [250, 3]]),
    "Swiss thousands": ("a;b\n1'234.5;1\n250;3\n", {"thousands": "'"}, ["a", "b"], [[1234.5, 1], [250, 3]]),
    "underscores": ("y\n1_000\n2_000\n", {"thousands": "_"}, ["y"], [[1000], [2000]]),
    "units": ("Zeit,Wert\n[s],[V]\n0.0,1.0\n0.1,1.5\n", {}, ["Wert"], [[1], [1.5]]),
    "comments": ("# made by: a, b\n1.0,5\n2.0,7\n# end\n", {}, ["column 1", "column 2"], [[1, 5], [2, 7]]),
    "lines above": ("Station: X\n\nDate,v\n2020-01-01,5\n2020-01-02,6\n", {"skip_rows": 2}, ["v"], [[5], [6]]),
    "separators at the ends": ("a;b;;\n1,5;2;;\n2,5;3;;\n", {}, ["a", "b"], [[1.5, 2], [2.5, 3]]),
    "separators at the ends below": ("a,b\n1,2,\n2,7,\n", {}, ["a", "b"], [[1, 2], [2, 7]]),
    "empty rows of a sheet": ("a,b\n1,5\n2,7\n,\n,\n", {}, ["a", "b"], [[1, 5], [2, 7]]),
    "blank lines": ("a,b\r\n1,5\r\n\r\n2,7\r\n\r\n", {}, ["a", "b"], [[1, 5], [2, 7]]),
    "ends of old Macs": ("a,b\r1,5\r2,7\r", {}, ["a", "b"], [[1, 5], [2, 7]]),
    "all fields in quotes": ('"a","b"\n"1","5"\n"2","7"\n', {}, ["a", "b"], [[1, 5], [2, 7]]),
    "all lines in quotes": ('"a;b"\n"1;20,7"\n"2;22,1"\n', {}, ["a", "b"], [[1, 20.7], [2, 22.1]]),
    "separators in quotes": ('"x, y",v\n"a, b",1\n"c",2\n', {"columns": "v"}, ["v"], [[1], [2]]),
    "line ends in quotes": ('v,note\n1,"x\n#y"\n2,z\n', {"columns": "v"}, ["v"], [[1], [2]]),
    "one column": ("Passengers: thousands. Jan 49 ? Dec 60\n112\n118\n", {}, None, [[112], [118]]),
    "no header": ("112\n118\n132\n", {}, ["column 1"], [[112], [118], [132]]),
    "one row": ("a,b\n1,5\n", {}, ["a", "b"], [[1, 5]]),
    "a header as pandas counts it": ("0,1\n0.5,1.5\n0.25,2.5\n", {}, ["0", "1"], [[0.5, 1.5], [0.25, 2.5]]),
    "an index as pandas writes it": (",0\n0,112\n1,118\n", {}, ["0"], [[112], [118]]),
    "an index of fractions": (",a\n0.0,1.5\n0.1,1.7\n", {}, ["a"], [[1.5], [1.7]]),
    "an index that was read and written": ("Unnamed: 0,a\n0,1.5\n1,1.7\n", {}, ["a"], [[1.5], [1.7]]),
    "names of rows as R writes them": ('"","x"\n"1",5\n"2",7\n', {}, ["x"], [[5], [7]]),
    "years": ("Year,Sunspots\n1700,5\n1701,11\n", {}, ["Sunspots"], [[5], [11]]),
    "years as data": ("Year,Sunspots\n1700,5\n1701,11\n", {"columns": "Year,Sunspots"}, None, [[1700, 5], [1701, 11]]),
    "a t that is no time": ("t,v\n22,1\n21,5\n", {}, ["t", "v"], [[22, 1], [21, 5]]),
    "a header that is named": ("0\n112\n118\n", {"header": "yes"}, ["0"], [[112], [118]]),
    "no header, as is named": ("0\n112\n118\n", {"header": "no"}, ["column 1"], [[0], [112], [118]]),
    "columns by number": ("a,b,c\n1,5,6\n2,7,8\n", {"columns": "3,1"}, ["c", "a"], [[6, 1], [8, 2]]),
    "columns of a list": ("a,b,c\n1,5,6\n2,7,8\n", {"columns": ["b", 3]}, ["b", "c"], [[5, 6], [7, 8]]),
    "a name with a comma": ('"a, b",c\n1,5\n2,7\n', {"columns": "a, b"}, ["a, b"], [[1], [2]]),
    "a name before a number": ('m,"1958"\nJAN,340\nFEB,318\n', {"columns": "1958"}, ["1958"], [[340], [318]]),
    "gaps interpolated": ("a,b\n?,5\n2,\n4,9\n", {"missing": "interpolate"}, None, [[2, 5], [2, 7], [4, 9]]),
    "gaps held": ("a,b\n1,5\n2,NaN\n4,9\n", {"missing": "hold"}, None, [[1, 5], [2, 5], [4, 9]]),
    "gaps dropped": ("a,b\n1,5\n2,n/a\n4,9\n", {"missing": "drop"}, None, [[1, 5], [4, 9]]),
    "a blank line in one column": ("y\n1\n\n3\n", {"missing": "interpolate"}, None, [[1], [2], [3]]),
    "a gap that is not asked for": ("a,b\n1,\n2,7\n", {"columns": "a"}, ["a"], [[1], [2]]),
    "decimal commas in quotes": ('a,b\n"1,5","2,5"\n"2",3\n', {"decimal": ","}, None, [[1.5, 2.5], [2, 3]]),
    "years and months": ("YEAR,MON,SSN\n1749,11,58\n1749,12,62.6\n1750,1,70\n", {}, ["SSN"], [[58], [62.6], [70]]),
    "months as columns": ("Year,Jan,Feb\n1990,1,2\n1991,3,4\n", {}, ["Jan", "Feb"], [[1, 2], [3, 4]]),
    "weekdays as columns": ("Mon,Sat\n1,2\n3,4\n", {}, ["Mon", "Sat"], [[1, 2], [3, 4]]),
    "month names without a header": ("JAN,340\nFEB,318\n", {}, ["column 2"], [[340], [318]]),
    "years and names of months": ("year,month,v\n1949,Nov,5\n1949,Dec,6\n1950,Jan,7\n", {}, ["v"], [[5], [6], [7]]),
    "days and hours": ("Date,Hour,v\n2020-01-01,22,5\n2020-01-01,23,6\n2020-01-02,0,7\n", {}, ["v"], [[5], [6], [7]]),
    "hours that are data": ("Date,Hour,v\n2020-01-01,22,5\n2020-01-02,2,6\n", {}, ["Hour", "v"], [[22, 5], [2, 6]]),
    "times with points": ("D;T;v\n10/03/2004;18.00.00;2,6\n10/03/2004;19.00.00;2\n", {}, ["v"], [[2.6], [2]]),
    "a header of three lines": (
        "Price,Close\nTicker,X\nDate,\n2020-01-02,5\n2020-01-03,6\n",
        {"skip_rows": 3, "header": "no"},
        ["column 2"],
        [[5], [6]],
    ),
    "a month beside what may be a year": ("JAN,2020\nFEB,318\n", {}, ["column 2"], [[2020], [318]]),
    "labels beside numbers": ("north,412\nsouth,340\n", {"columns": 2}, None, [[412], [340]]),
    "labels under years": ("m,1958,1959\nn,340,5\ns,7,8\n", {"columns": "1958,1959"}, None, [[340, 5], [7, 8]]),
    "years of several countries": ("Year,v\n1990,1\n1991,2\n1990,3\n", {}, ["Year", "v"], None),
    "a time with its unit": ("Time (s),v\n0.0,1\n0.1,2\n", {}, ["v"], [[1], [2]]),
    "a name that is a number, beside dates": ("Date,0\n2020-01-01,5\n2020-01-02,6\n", {}, ["0"], [[5], [6]]),
    "the minus of typesetters": ("a,b\n−1,5\n2,7\n", {}, None, [[-1, 5], [2, 7]]),
    "exponents": ("a,b\n1e-3,.5\n+2.,7E2\n", {}, None, [[0.001, 0.5], [2, 700]]),
}


@pytest.mark.parametrize("name", READ)
def test_a_table_is_read_as_it_is_meant(name):
    content, settings, columns, values = READ[name]
    found = read(content, **settings)
    if values is not None:
        np.testing.assert_array_equal(found.values, np.array(values, dtype=float))
    np.testing.assert_array_equal(found.targets, found.values)
    assert columns is None or list(found.columns) == columns
    lines = "\n".join(found.understood)
    assert lines == repr(found)
    for row in (0, -1):
        assert all(f"{value:.6g}" in lines for value in found.values[row])


REFUSED = {
    "a word": ("a,b\n1,2\n3,x\n4,5\n", "line 3, column 2 'b': 'x' is not a finite number; pass columns='a'"),
    "words": ("n,v\nfoo,1\nbar,2\n", "line 2, column 1 'n': 'foo' is not a finite number; pass columns='v'"),
    "a header of several lines": (
        "Price,Close\nTicker,X\nDate,y\n2020-01-02,5\n2020-01-03,6\n",
        "line 2, column 1 'Price': 'Ticker' is not a finite number; pass skip_rows=3, header='no'",
    ),
    "a header of two lines": ("a,b\nx,y\np,q\n1,5\n2,6\n", "line 2, .* pass skip_rows=3, header='no'"),
    "words beside years and months": (
        "year,month,v,w\n2010,1,5,NW\n2010,2,6,SE\n",
        "line 2, column 4 'w': 'NW' is not a finite number; pass columns='v'",
    ),
    "a gap": ("a,b\n1,NaN\n2,3\n", "line 2, column 2 'b': 'NaN' is no value, and 1 is missing in all; pass missing='"),
    "a row of gaps": ("a,b\n1,2\n,\n3,4\n", "line 3, column 1 'a': '' is no value, and 2 are missing"),
    "a mark of Excel's": ("a,b\n1,#DIV/0!\n2,3\n", "'#DIV/0!' is no value"),
    "a column of gaps": ("a,b\n1,\n2,\n", "column 2 'b' has no value at all; pass columns='a'"),
    "overflow": ("y\n1e400\n2\n", "line 2, column 1 'y': '1e400' is beyond the largest number"),
    "overflow with a comma": (
        "a;b\n1,5;-2e999\n2;3\n",
        "line 2, column 2 'b': '-2e999' is beyond .*; pass columns='a'",
    ),
    "infinity": ("y\nInfinity\n2\n", "line 2, column 1 'y': 'Infinity' is not finite"),
    "thousands": ('p\n"1,234.50"\n', r"'1,234.50' is a number only if its signs are named; pass thousands=','"),
    "German thousands": ("a;b\n1.234,50;1\n2;3\n", "'1.234,50' .* pass thousands='.'"),
    "thousands or decimals": ("a;b\n1,234;1\n2,500;3\n", "line 2, column 1: .*; pass decimal=',' or thousands=','"),
    "underscores": ("y\n1_000\n2_000\n", "line 2, column 1 'y': '1_000' .* pass thousands='_'"),
    "both decimal signs": (
        "a;b\n1,5;2.5\n2;3,5\n",
        "'1,5' has a comma before decimals, and other numbers have a point",
    ),
    "one column with a decimal comma": ("y\n1,5\n2,5\n", "line 3: is the comma in '2,5' .* pass sep=';', decimal=','"),
    "0 above whole numbers": ("0\n112\n118\n", "line 1: '0' may be names or data.* pass header='yes' or header='no'"),
    "a column with a decimal comma, or two": ("1,5\n2,5\n3,7\n", "line 1: is '1,5' two whole numbers, .* sep=','"),
    "0, 1 above whole numbers": ("0,1\n5,6\n7,8\n", "line 1: '0', '1' may be names or data"),
    "years above numbers": ("1958,1959\n340,360\n", "line 1: '1958', '1959' may be names or data: years"),
    "labels beside a year": ("north,1958\nsouth,340\n", "line 1: 'north', '1958' may be names or data"),
    "labels beside a count": ("north,0,1\nsouth,5,6\n", "line 1: 'north', '0', '1' may be names or data"),
    "a word beside a number": ("1,x\n3,4\n5,6\n", "line 1: '1', 'x' may be names or data"),
    "lines above": ("Station: X\n\nDate,v\n2020-01-01,5\n2020-01-02,6\n", "line 3: 2 fields .* pass skip_rows=2"),
    "a line below": (
        "m,v\n2020-01,5\n2020-02,6\n\nSource: us\n",
        "line 5: 1 field parted by commas, but 2 in most rows",
    ),
    "a comma in a number": ("d,v\n2020-01-01,1,234\n2020-01-02,2,345\n", "line 2: 3 fields .* must stand in quotes"),
    "a title with a comma": (
        "Temperature, Celsius\n20.7\n21\n",
        "line 2: 1 field .* from line 2 on .* pass skip_rows=1",
    ),
    "names of rows without a name": ("a b\n1 5 6\n2 7 8\n", "line 2: 3 fields parted by spaces, but 2 in line 1"),
    "quotes that do not end": ('a,b\n1,"x\n2,3\n3,4\n', "line 2: the row that begins there has quotes that do not end"),
    "a date among words": ("d,v\n2020-01-01,5\ntotal,6\n", "line 3, column 1 'd': 'total' is not a date written as"),
    "dates of no known form": ("d,v\n2020-13-01,1\n2020-14-02,5\n", "if it is a date, say so; pass date_column='d'"),
    "another separator": ("a:b\n1:5\n2:7\n", "numbers parted by ':'; pass sep=':'"),
    "only dates": ("d\n2020-01-01\n2020-01-02\n", "has no column of numbers, only column 1 'd'"),
    "no rows": ("a,b\n", "has a header in line 1, and no rows"),
    "nothing": ("", "has no rows"),
    "blank lines alone": ("\n \n\n", "has no rows"),
    "another encoding": (
        "a,b\n1,2\n#°\n".encode("cp1252"),
        r"line 3: byte 9 \(0xb0\) means nothing in UTF-8.*'cp1252'",
    ),
    "UTF-16 without a mark": ("a,b\n1,2\n".encode("utf-16-le"), "pass encoding='utf-16-le'"),
    "a web page": ("<!DOCTYPE html>\n<p>not found</p>\n", "is HTML or XML"),
    "JSON": ('[{"a": 1},\n{"a": 2}]\n', "is JSON"),
    "a workbook": (b"PK\x03\x04rest", "is a workbook"),
    "an array": (b"\x93NUMPY", "numpy.load reads it"),
    "percent": ("a,b\n5%,1\n2%,3\n", "'5%' is not a finite number; pass columns='b'"),
    "hexadecimal": ("a\n0x10\n0x20\n", "'0x10' is not a finite number"),
    "digits of another script": ("a\n١\n٢\n", "line 2, column 1 'a': '١' is not a finite number"),
    "the name of an escape": ("a\x1b]0;x\x07,b\nq,1\nr,2\n", r"column 1 'a\\x1b]0;x\\x07': 'q'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_table_without_one_meaning_is_refused_with_the_way_out(name):
    content, why = REFUSED[name]
    with pytest.raises(DataError, match=why):
        read(content)


@pytest.mark.parametrize("name", REFUSED)
def test_the_way_out_is_one(name):
    """With the arguments of a way, and of the first that is named then, the table is read."""
    content, _ = REFUSED[name]
    with pytest.raises(DataError) as refused:
        read(content)
    for way in refused.value.ways:
        settings = {}
        for _ in range(3):
            settings |= {key: value[0] if isinstance(value, tuple) else value for key, value in way.items()}
            try:
                found = read(content, **settings)
            except DataError as again:
                assert again.ways or "date" in name  # noqa: PT017  a form of dates cannot be guessed
                way = again.ways[0] if again.ways else {}  # noqa: PLW2901  on from here
            else:
                assert len(found.values)
                break
        else:
            assert "date" in name


def test_what_is_taken_as_what_is_said():
    lines = said("sep=;\n# seen\nYear;v\ny;m\n1700;1,5\n1701;\n1702;3,5\n", missing="hold")
    for line in (
        "the file: 3 rows, lines 5 to 7; UTF-8, parted by semicolons, decimal ','",
        "line 1 says that the separator is ';'",
        "line 2 passed over: beginning with #",
        "line 3 is taken as the header",
        "line 4 is taken as units: 'y', 'm'",
        "1 value missing, the first in line 6, column 2 'v': the value before is held",
        "column 1 'Year' says when, from '1700' to '1702', and is no data",
        "column 2 'v': 1.5 ... 3.5",
    ):
        assert line in lines


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ("d,v\n2020-01-03,5\n2020-01-02,6\n", "the newest stands first"),
        ("d,v\n2020-01-01,5\n2020-01-03,6\n2020-01-02,7\n", "it goes back 1 times"),
        ("d,v\n2020-01-01,5\n2020-01-01,6\n", "1 times the same"),
        ("d,v\n2020-01-01,5\n2020-01-02,6\n2020-01-09,7\n", "of several lengths"),
        ("a,b\n1,5\n2,3\n3,7\n", "column 1 'a' only counts, by 1"),
        ("a,b\n4,5\n4,3\n4,7\n", "column 1 'a' is the same in all rows"),
        ("a,b\n1,-999\n3,4\n5,6\n1,5\n", "has -999 in it, which often marks a gap"),
        ("a,a\n1,5\n2,9\n", "several columns are called 'a'"),
        ("a;b\n1.234;5\n2.500;3\n", "column 1 'a' has three digits behind each point: decimals here"),
        ("1749;01;96.7\n1749;02;104.3\n1750;01;98\n", "column 1 holds what may be years"),
        ("a,b\n9007199254740993,5\n1,3\n", "beyond 2^53"),
    ],
)
def test_what_may_surprise_is_noted(content, note):
    assert note in said(content)


def test_a_day_and_a_time_of_day_are_one_moment():
    assert "NOTE" not in said("D;T;v\n1.2.2020;17:00;1\n1.2.2020;18:00;2\n1.2.2020;19:00;0\n")
    assert "it goes back 1 times" in said("D;T;v\n1.2.2020;17:00;1\n1.2.2020;16:00;2\n1.2.2020;19:00;0\n")
    assert "NOTE" not in said("T;v\n17:00;1\n16:00;2\n19:00;0\n")


def test_even_months_are_no_surprise():
    months = "\n".join(f"{1990 + k // 12}-{k % 12 + 1:02}-01,{k % 5}" for k in range(40))
    assert "NOTE" not in said(f"d,v\n{months}\n")


def test_what_is_to_be_told_may_be_another_column():
    found = read("a,b,c\n1,5,9\n2,,8\n3,7,7\n", columns="a", target="b", missing="interpolate")
    assert (found.columns, found.target) == (("a",), ("b",))
    np.testing.assert_array_equal(found.targets, [[5], [6], [7]])
    np.testing.assert_array_equal(found.gaps, [[False, False], [False, True], [False, False]])
    assert read("d,a,b\n2020-01-01,1,5\n2020-01-02,2,6\n", target="b").columns == ("a", "b")


def test_dates_are_kept_beside_the_rows_that_stay():
    found = read("D;T;v\n1.2.2020;17:00;1\n1.2.2020;18:00;\n1.2.2020;19:00;3\n", missing="drop")
    assert found.dates == ("1.2.2020 17:00", "1.2.2020 19:00")


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"sep": "ab"}, "sep='ab'"),
        ({"sep": "1"}, "sep='1'"),
        ({"decimal": ";"}, "decimal=';'"),
        ({"thousands": "x"}, "thousands='x'"),
        ({"decimal": ",", "thousands": ","}, "thousands=',' is the decimal sign too"),
        (
            {"decimal": ",", "sep": ","},
            "columns are parted by commas, and decimal=',' is only good where numbers with it stand in quotes",
        ),
        ({"thousands": ","}, "parted by commas, and thousands=',' is only good"),
        ({"header": True}, "header=True"),
        ({"missing": "guess"}, "missing='guess'"),
        ({"skip_rows": -1}, "skip_rows=-1"),
        ({"skip_rows": 1.0}, "skip_rows=1.0"),
        ({"encoding": "utf-99"}, "encoding='utf-99'"),
        ({"encoding": "base64"}, "encoding='base64'"),
        ({"columns": "z"}, "has no column 'z': it has 3 columns, 'd', 'a', 'b'"),
        ({"columns": "4"}, "has no column '4'"),
        ({"columns": [True]}, "True is neither a name nor a number"),
        ({"columns": "a,a"}, "asked for twice"),
        ({"columns": ""}, "names no column"),
        ({"target": "d"}, "line 2, column 1 'd'"),
        ({"date_column": "a", "columns": "a"}, "choose one"),
        ({"date_column": "d", "date_format": "%d.%m.%Y"}, "line 2, column 1 'd': '2020-01-01' is not a date as"),
        ({"date_format": "%d.%m.%Y"}, "line 2, column 1 'd': '2020-01-01' is not a date as"),
        ({"skip_rows": 9}, "has no rows after line 9"),
    ],
)
def test_settings_that_mean_nothing_here_are_refused(settings, why):
    with pytest.raises(ValueError, match=re.escape(why)):
        read("d,a,b\n2020-01-01,1,5\n2020-01-02,2,6\n", **settings)


def test_numbers_of_very_many_digits_are_refused_in_our_words():
    long = "9" * 5000
    for content in (f"{long},{long}\n1,2\n", f"a\n{long}\n", f"0,{long}\n1,2\n"):
        with pytest.raises(DataError, match="beyond the largest number"):
            read(content)
    with pytest.raises(DataError, match="has no column"):
        read("a\n1\n", columns=long)


def test_names_that_are_denied_by_the_setting():
    with pytest.raises(DataError, match="line 1, column 1: 'a' is not a finite number; pass header='yes'"):
        read("a,b\n1,5\n2,7\n", header="no")


def test_a_mark_and_an_encoding_that_disagree():
    with pytest.raises(DataError, match="begins with the mark of UTF-8, and encoding is 'latin-1'"):
        read("\ufeffa,b\n1,2\n", encoding="latin-1")


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(TypeError, match="5 is no file"):
        table(5)
    with pytest.raises(TypeError, match="is open for text"):
        table(io.StringIO("a\n1\n"))
    with pytest.raises(FileNotFoundError):
        table(tmp_path / "no.csv")
    with pytest.raises(OSError, match=r"directory|denied"):
        table(tmp_path)


def test_a_file_by_its_path_is_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("y\n1\nx\n")
    with pytest.raises(DataError, match=re.escape(f"{path}, line 3, column 1 'y'")):
        table(path)
    path.write_text("y\n1\n2\n")
    assert table(str(path)).understood[0].startswith(f"{path}: 2 rows")


def test_whoever_watches_may_end_the_reading():
    def enough(rows, columns):
        assert columns == 2
        raise MemoryError(rows)

    with pytest.raises(MemoryError, match="1000"):
        read("a,b\n" + "1,2\n" * 5000, watch=enough)


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2), min_size=2, max_size=9
    ),
    st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ","), ("|", ",")]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
def test_numbers_come_back_bit_by_bit(rows, signs, end, encoding):
    sep, decimal = signs
    body = [sep.join(repr(value).replace(".", decimal) for value in row) for row in rows]
    content = end.join([f"p{sep}q", *body, ""]).encode(encoding)
    np.testing.assert_array_equal(read(content, decimal=decimal).values, rows)


@settings(deadline=None)
@given(st.text(alphabet='01.,;|\t "\n\r-#ax:/', max_size=60))
def test_any_text_is_read_or_refused_in_our_words(content):
    try:
        found = read(content)
    except DataError as error:
        assert str(error)  # noqa: PT017  what else it is is looked at in the other tests
    else:
        assert np.isfinite(found.values).all()


@given(
    st.lists(
        st.sampled_from(["2000-02-29", "2020-01-01 05:30", "1999-12-31T23:59:59", "0001-01-01", "?"]),
        min_size=1,
        max_size=5,
    )
)
def test_days_of_a_known_form_are_read_at_once_as_they_are_one_by_one(cells):
    begin = dt.datetime(1970, 1, 1)
    known = [(dt.datetime.fromisoformat(cell) - begin).total_seconds() for cell in cells if cell != "?"]
    found = dates(cells)
    assert (found is None) == (not known)
    assert not known or found.seconds.tolist() == known


def test_a_row_longer_than_a_field_may_be_is_parted():
    """By each other sign it would be one field."""
    row = ",".join(["0.12345678901234567890"] * 7000)
    found = read(f"{row}\n{row}\n", header="no")
    assert found.values.shape == (2, 7000)
    with pytest.raises(DataError, match=r"line 1: .* a field without an end"):
        read(f"{row}\n{row}\n", header="no", sep=";")


def test_a_day_that_is_in_no_calendar_is_none_at_once_either():
    assert dates(["2000-02-29", "2001-02-29"]) is None
    assert dates(["0000-01-01"]) is None
    assert dates(["2000-01-01", "2000-01-01 24:30"]) is None


@pytest.mark.slow
def test_ten_times_the_rows_take_ten_times_as_long_or_so():
    def seconds(many):
        rows = np.random.default_rng(0).normal(size=(many, 2))
        content = ("a,b\n" + "\n".join(f"{a!r},{b!r}" for a, b in rows.tolist())).encode()
        start = time.process_time()
        np.testing.assert_array_equal(read(content).values, rows)
        return time.process_time() - start

    assert seconds(100_000) < 40 * min(seconds(10_000) for _ in range(3))  # with a square it were a hundred


def wide(columns):
    """A table of so many columns, the last of which has the name of the first."""
    names = [*(f"c{k}" for k in range(columns - 1)), "c0"]
    rows = np.arange(3 * columns).reshape(3, columns) % 7 + 0.5
    return "\n".join([",".join(names), *(",".join(map(str, row)) for row in rows.tolist())]).encode(), rows


def test_what_a_column_takes_does_not_grow_with_their_number():
    def calls(columns):
        count = 0

        def called(frame, event, what):
            nonlocal count
            count += event in ("call", "c_call")

        content, rows = wide(columns)
        sys.setprofile(called)
        try:
            found = read(content)
        finally:
            sys.setprofile(None)
        np.testing.assert_array_equal(found.values, rows)
        return count

    few, many = calls(500), calls(2000)
    assert many < 4.2 * few
    assert many < 300 * 2000  # to try each name as a date in all forms took 1,000 alone


@pytest.mark.slow
def test_tens_of_thousands_of_columns_are_read_and_said_in_some_lines():
    content, rows = wide(30_000)
    found = read(content)
    np.testing.assert_array_equal(found.values, rows)
    assert len(found.understood) < 30
    assert "… and 29989 more columns of numbers" in found.understood
    assert found.understood[-1] == "NOTE: several columns are called 'c0'"
    some = read(content, columns=list(range(1, 20_001)), target="c5")
    assert (len(some.columns), some.target) == (20_000, ("c5",))


def test_many_notes_are_some_lines():
    content = "\n".join(",".join(["0.5"] * 500) for _ in range(3))
    notes = [line for line in read(content.encode()).understood if "same in all rows" in line or "more notes" in line]
    assert len(notes) == 12
    assert "… and 489 more notes" in notes


def test_a_language_that_python_does_not_know_is_no_matter(monkeypatch):
    monkeypatch.setattr("locale._setlocale", lambda *_: "en_DE")
    np.testing.assert_array_equal(read(b"x1,x2\n1,2\n3,4\n").values, [[1, 2], [3, 4]])


def test_the_search_for_cycles_is_what_it_was():
    def watch(rows, columns):
        raise RuntimeError

    content = "\n".join(map(str, range(3000))).encode()
    for enabled in (True, False):
        (gc.enable if enabled else gc.disable)()
        try:
            read(content, header="no")
            assert gc.isenabled() == enabled
            with pytest.raises(RuntimeError):
                read(content, header="no", watch=watch)
            assert gc.isenabled() == enabled
        finally:
            gc.enable()
