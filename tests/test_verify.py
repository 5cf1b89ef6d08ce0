"""The command verify: what is right, what is wrong, and one line about every file that nothing can be said about."""

import io
import json
import struct
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import tinygrad_rnn as tg
from bptt_by_hand import UNTURNED, problem, shares
from tinygrad_rnn.cli import main


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def verify(*words):
    return CliRunner().invoke(main, ["verify", *map(str, words)])


def unreadable(*words):
    """The one line that says why."""
    result = verify(*words)
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.stdout == ""
    (line,) = result.stderr.removesuffix("\n").split("\n")
    assert line.startswith("Error: ")
    assert len(line) < 300
    assert line.isprintable()
    return line


P = problem("guo", 1)
RIGHT = shares(P.cell, (), *P[2:])
WRONG = shares(P.cell, (UNTURNED,), *P[2:])
REST = {"x": P.x, "d": P.d, "s0": P.start[0], **P.params}


def of(kind, arrays):
    return {f"{kind}.{name}": a for name, a in arrays.items()}


def sums(arrays):
    return {name: a.sum(axis=0) for name, a in arrays.items()}


def lists(arrays):
    return {name: a.tolist() if isinstance(a, np.ndarray) else a for name, a in arrays.items()}


# What a student types from a page: x = 1, 2, 3 through one unit of tanh, where s(2) should be 0.7803, as tanh 1.0462.
WALK = {"g": "identity", "x": [[[1]], [[2]], [[3]]], "d": [[[0.5]], [[0.5]], [[1]]]}
WALK |= {"V": [[0.5]], "U": [[0.1]], "W": [[1]], "b_j": [0], "b_k": [0]}
SLIPPED = [[[0.4621]], [[0.7790]], [[0.9183]]]


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_a_file_of_arrays(write):
    write("right.npz", **REST, **of("copies", RIGHT), **of("grads", sums(RIGHT)))
    result = verify("right.npz")
    assert (result.exit_code, result.stdout.count("all right")) == (0, 2)
    assert "Guo(f='tanh', g='softmax'), loss cross_entropy, reduction sum, T = 6, B = 3" in result.stderr
    write("wrong.npz", **REST, **of("copies", WRONG))
    result = verify("wrong.npz")
    assert result.exit_code == 1
    assert f"{UNTURNED}, equation (26)" in result.stdout


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_gated_cells_and_json(kind):
    p = problem(kind, 2)
    start = dict(zip(("s0", "c0"), p.start, strict=False))
    rest = {"cell": kind, "x": p.x, "d": p.d, **start, **p.params}
    for bugs, code in (((), 0), ((UNTURNED,), 1)):
        Path("a.json").write_text(json.dumps(lists(rest | of("grads", sums(shares(p.cell, bugs, *p[2:]))))))
        result = verify("a.json")
        assert result.exit_code == code, result.output
    assert UNTURNED in result.stdout


def test_a_mask_and_other_settings():
    mask = np.arange(6)[:, None] < np.array([6, 4, 2])
    guo = tg.cells.Guo(f="sigmoid", g="identity")
    how = {"loss": "squared_error", "reduction": "mean"}
    net = tg.unfold(guo, P.params, P.x, P.d, mask=mask, **how)
    net.backward()
    x = np.where(mask[..., None], P.x, np.nan)  # what stands where a sample is over is not looked at
    given = P.params | {"x": x, "d": P.d, "mask": mask, "f": "sigmoid", "g": "identity", **how}
    np.savez("a.npz", **given, **of("copies", net.copies))
    assert verify("a.npz").exit_code == 0


@pytest.mark.parametrize("header", ["", ",".join(map(str, range(16))), ",".join(f"U{k}" for k in range(16))])
def test_a_table_is_one_weight(header):
    np.savez("rest.npz", **REST)
    rows = WRONG["U"].reshape(6, -1)
    np.savetxt("U.csv", rows, delimiter=",", header=header, comments="")
    result = verify("U.csv", "--weights", "rest.npz")
    assert result.exit_code == 1
    assert UNTURNED in result.stdout
    np.savetxt("mine.csv", rows, delimiter=",", header=header, comments="")
    assert verify("mine.csv", "--weights", "rest.npz", "--as", "copies.U").stdout == result.stdout
    np.savetxt("grads.V.csv", RIGHT["V"].sum(axis=0), delimiter=",")
    assert verify("grads.V.csv", "--weights", "rest.npz").exit_code == 0


def test_a_table_of_a_wrong_size():
    np.savez("rest.npz", **REST)
    np.savetxt("U.csv", WRONG["U"].reshape(6, -1)[:4], delimiter=",")
    assert "there are 4 rows, and must be 6" in unreadable("U.csv", "--weights", "rest.npz")
    np.savetxt("U.csv", WRONG["U"].reshape(6, -1)[:, :5], delimiter=",")
    assert "a row has 5 numbers, and U is (4, 4)" in unreadable("U.csv", "--weights", "rest.npz")
    np.savetxt("Q.csv", WRONG["U"].reshape(6, -1), delimiter=",")
    assert "no weight 'Q'" in unreadable("Q.csv", "--weights", "rest.npz")
    Path("U.csv").write_text("a,b\n1,\x1b]0;x\x07\n")
    assert "U.csv" in unreadable("U.csv", "--weights", "rest.npz")


def test_a_published_slip_is_found_and_what_follows_from_it_is_not_held_against_anybody():
    s = [0, 0.46211716, 0.7790, np.tanh(1.5 + 0.1 * 0.7790)]
    copies, later = np.zeros((3, 1, 1)), 0.0
    for t, d in ((3, 1), (2, 0.5), (1, 0.5)):
        net_j = (s[t] - d + 0.1 * later) * (1 - s[t] ** 2)
        copies[t - 1], later = net_j * s[t - 1], net_j
    Path("walk.json").write_text(json.dumps(WALK | {"values.s": SLIPPED, "copies.U": copies.round(6).tolist()}))
    result = verify("walk.json", "--digits", 4)
    assert result.exit_code == 1
    assert "s(2)[1, 1] is 0.779; right is 0.780329" in result.stdout
    assert "s(2) worked out wrong; the rest is right for it" in result.stdout
    assert "copies of U, by your own values: all right" in result.stdout
    Path("walk.json").write_text(json.dumps(WALK | {"values.s": [[[0.4621]], [[0.7803]], [[0.9183]]]}))
    assert verify("walk.json", "--digits", 4).exit_code == 0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"x": None}, "there is no x"),
        ({"U": None}, "'U'"),
        ({"b_j": None}, "b_j"),
        ({"grads.U": None}, "nothing to check"),
        ({"x": np.zeros((6, 3))}, "three axes"),
        ({"d": np.zeros((5, 3, 3))}, "d"),
        ({"V": P.params["V"].T}, "V"),
        ({"grads.U": None, "grads.V": np.zeros((2, 4))}, "it is the transpose"),
        ({"grads.U": np.full((4, 4), np.nan)}, "'grads.U'[1, 1] is not finite"),
        ({"x": np.full((6, 3, 2), np.inf)}, "'x'[1, 1, 1] is not finite"),
        ({"grad.U": np.zeros((4, 4))}, "is none of values.NAME"),
        ({"grads.Q": np.zeros((4, 4))}, "no weight 'Q'"),
        ({"deltas.net_q": np.zeros((6, 3, 4))}, "no step has a node 'net_q'"),
        ({"Q": np.zeros((4, 4))}, "'Q' is no weight of guo"),
        ({"\x1b]0;title\x07\n\x1b[2J.U": np.zeros((4, 4))}, "is none of"),
        ({"\x1b]0;title\x07\n\x1b[2J": np.zeros((4, 4))}, "is no weight of"),
        ({"U": "\x1b[2J"}, "'U' is a word"),
        ({"cell": "transformer\x1b[2J"}, "one of guo"),
        ({"cell": np.zeros(3)}, "'cell' is an array"),
        ({"cell": "gru", "f": "tanh"}, "gru has none to choose"),
        ({"f": "swish"}, "f is one of"),
        ({"loss": "hinge"}, "hinge"),
        ({"reduction": "max"}, "max"),
        ({"c0": np.zeros((3, 4))}, "no second state"),
        ({"cell": "lstm"}, "give both or none"),
        ({"mask": np.full((6, 3), 0.5)}, "mask"),
        ({"x": np.zeros((0, 3, 2)), "d": np.zeros((0, 3, 3))}, ""),
        ({"x": np.zeros((6, 0, 2)), "d": np.zeros((6, 0, 3))}, ""),
        ({"x": np.zeros((200_000, 1, 2)), "d": np.zeros((200_000, 1, 3)), "s0": np.zeros((1, 4))}, "GB"),
        ({"x": np.zeros((6, 3, 2), complex)}, "no real number"),
        ({"x": np.array([{}], dtype=object)}, "pickles are not read"),
        ({"x": np.zeros((1,) * 9)}, "none of a network's"),
        ({"x": np.zeros(3, dtype=[("a", float)])}, "no real number"),
        ({"cell": "g" * 1000}, "no room"),
    ],
)
def test_arrays_that_make_no_network(changed, said):
    given = REST | {"grads.U": RIGHT["U"].sum(axis=0)} | changed
    np.savez("a.npz", **{name: a for name, a in given.items() if a is not None})
    line = unreadable("a.npz")
    assert line.startswith("Error: a.npz: ")
    assert said in line


def header(shape, dtype="<f8"):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue()


def packed(*members, how=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(file, "w", how) as opened:  # of a name twice
        for name, content in members:
            opened.writestr(name, content)
    return file.getvalue()


def encrypted():
    content = bytearray(packed(("x.npy", header((1,)) + bytes(8))))
    at = content.find(b"PK\x01\x02")
    content[at + 8] |= 1
    return bytes(content)


def spoilt():
    content = bytearray(packed(("x.npy", header((1000,)) + bytes(8000)), how=zipfile.ZIP_STORED))
    content[2000] ^= 1
    return bytes(content)


def long_header():
    """A header of version 2.0 that says it has 4 GB, of which few bytes are in the file."""
    return packed(("x.npy", b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + bytes(30_000_000)))


DIGITS = "1" * 5000
HOSTILE = {
    "empty": b"",
    "no zip": b"PK\x03\x04" + bytes(100),
    "cut off": packed(("x.npy", header((1000,)) + bytes(8000)))[:-30],
    "no array": packed(("x.txt", b"hello")),
    "no header": packed(("x.npy", b"hello")),
    "pickle": packed(("x.npy", header((1,), "|O") + b"\x80\x04cos\nsystem\n.")),
    "huge shape": packed(("x.npy", header((2**40, 2**40)))),
    "negative": packed(("x.npy", header((-1, 4)))),
    "large product": packed(("x.npy", header((60_000, 60_000)))),
    "zip bomb": packed(("x.npy", header((2**33,)) + bytes(50_000_000))),
    "more than its shape": packed(("x.npy", header((1,)) + bytes(50_000_000))),
    "less than its shape": packed(("x.npy", header((1000,)) + bytes(80))),
    "twice": packed(("x.npy", header((1,)) + bytes(8)), ("x.npy", header((1,)) + bytes(8))),
    "lzma": packed(("x.npy", header((1,)) + bytes(8)), how=zipfile.ZIP_LZMA),
    "many": packed(*((f"{k}.npy", b"") for k in range(2000))),
    "encrypted": encrypted(),
    "spoilt": spoilt(),
    "long header": long_header(),
    "deep header": packed(("x.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", 9000) + b"(" * 9000)),
    "escapes": packed(("\x1b]0;x\x07.npy", b"hello")),
    "several": packed(*((f"{k}.npy", header((2**22,)) + bytes(8 * 2**22)) for k in "abc")),
    "no JSON": b"{",
    "no object": b"[1, 2]",
    "binary": bytes(range(256)),
    "not UTF-8": b'{"x": "\xff"}',
    "name twice": b'{"x": [1], "x": [2]}',
    "ragged": b'{"x": [[1, 2], [3]]}',
    "unlike": b'{"x": [[1, 2], 3]}',
    "null": b'{"x": null}',
    "object": b'{"x": {"x": 1}}',
    "a word in numbers": b'{"x": [1, "2"]}',
    "NaN": b'{"grads.U": [[NaN]]}',
    "large": b'{"grads.U": [[1e999]]}',
    "digits": b'{"grads.U": [[%s]]}' % DIGITS.encode(),
    "digits of a name": b'{"%s": [[1]]}' % DIGITS.encode(),
    "deep": b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "less deep": b'{"x": ' + b"[" * 800 + b"]" * 800 + b"}",
    "many parts": b'{"x": [' + b"1," * 2_000_000 + b"1]}",
    "escape in JSON": b'{"\\u001b]0;x\\u0007.U": [1]}',
    "half a letter": b'{"\\ud800.U": [1]}',
    "turned about": '{"\u202ex.U": [1]}'.encode(),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_and_damaged_files(what):
    Path("a").write_bytes(HOSTILE[what])
    tracemalloc.start()
    line = unreadable("a")
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert line.startswith("Error: a: ")
    assert "Traceback" not in line
    assert taken < 120e6
    assert "\u202e" not in line


@pytest.mark.parametrize("cut", range(0, 2000, 37))
def test_a_file_that_is_cut_off_or_bent_anywhere_is_told(cut):
    np.savez("whole.npz", **REST, **of("grads", sums(RIGHT)))
    content = Path("whole.npz").read_bytes()
    Path("a.npz").write_bytes(content[:cut])
    assert unreadable("a.npz").startswith("Error: a.npz: ")
    bent = bytearray(content)
    bent[cut * len(bent) // 2000] ^= 0x55
    Path("a.npz").write_bytes(bent)
    result = verify("a.npz")
    assert result.exit_code in (0, 2), result.output  # some bytes, such as dates, mean nothing
    assert isinstance(result.exception, SystemExit | None)


def test_what_is_no_file():
    assert unreadable("missing.npz") == "Error: missing.npz: No such file or directory"
    assert "folder" in unreadable(".") or "directory" in unreadable(".")
    assert unreadable("/dev/zero").startswith("Error: /dev/zero: ")
    Path("a\x1b[2J\n.npz").write_bytes(b"{")
    assert unreadable("a\x1b[2J\n.npz").startswith("Error: a␛[2J␤.npz: ")


@pytest.mark.parametrize("words", [["U.csv"], ["a.npz", "--as", "copies.U"], ["a.npz", "--digits", "0"], []])
def test_words_that_do_not_fit(words):
    assert verify(*words).exit_code == 2


def test_a_name_in_both_files():
    np.savez("a.npz", **REST)
    np.savez("b.npz", x=P.x)
    assert "'x' stands in the other file too" in unreadable("a.npz", "--weights", "b.npz")
