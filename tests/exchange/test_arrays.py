"""Arrays in a file come back as they went in; a file that was damaged is refused in one line."""

import json
import re

import numpy as np
import pytest

from tinygrad_rnn.exchange.arrays import packed, read_arrays, write_arrays


def arrays(rng):
    a = rng.normal(size=(3, 4))
    return {
        "z": a,
        "a": a.T,  # a view, in another order of memory
        "every other": a[:, ::2],
        "columns first": np.asfortranarray(a),
        "single": a.astype(np.float32),
        "one": np.array(7, dtype=np.int64),
        "none": np.zeros((0, 3)),
        "turned": a[::-1],
        "spread": np.broadcast_to(a[0], (5, 4)),
        "flags": a > 0,
    }


def test_arrays_come_back_bit_by_bit_in_the_order_they_were_given(tmp_path):
    given = arrays(np.random.default_rng(0))
    path = write_arrays(tmp_path / "a.safetensors", given, {"words": "like these"})
    read, words = read_arrays(path)
    assert list(read) == list(given)
    assert words == {"words": "like these"}
    for name, array in given.items():
        assert read[name].dtype == array.dtype
        assert read[name].shape == array.shape
        assert read[name].tobytes() == array.tobytes()
        read[name][...] = 0  # nobody else's


def test_a_file_of_others_is_read(tmp_path):
    from safetensors.numpy import save_file

    save_file({"b": np.ones(2), "a": np.zeros((2, 2), dtype=np.float32)}, tmp_path / "theirs.safetensors")
    read, words = read_arrays(tmp_path / "theirs.safetensors")
    assert (read["b"] == 1).all()
    assert read["a"].dtype == np.float32
    assert words == {}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"a": np.ones(2, dtype=complex)}, None),
        ({"a": np.array(["text"])}, None),
        ({"a": np.array([object()])}, None),
        ({"a": np.ones(2, dtype=">f8")}, None),
        ({"a": np.ones(2, dtype=np.longdouble)}, None),
        ({1: np.ones(2)}, None),
        ({"__metadata__": np.ones(2)}, None),
        ({"a": np.ones(2)}, {"t": 3}),
    ],
)
def test_what_has_no_place_in_the_file_is_refused_and_nothing_written(tmp_path, given, words):
    with pytest.raises(ValueError, match=r"can be saved|are strings"):
        write_arrays(tmp_path / "a.safetensors", given, words)
    assert not list(tmp_path.iterdir())


def with_header(header, data=b""):
    written = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(written).to_bytes(8, "little") + written + data


ENTRY = {"dtype": "F64", "shape": [2], "data_offsets": [0, 16]}
TWICE = b'{"a":' + json.dumps(ENTRY).encode() + b',"a":' + json.dumps(ENTRY).encode() + b"}"
DAMAGED = {
    "empty": b"",
    "seven bytes": b"1234567",
    "a pickle": b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94.",
    "huge header": (2**63).to_bytes(8, "little") + b"{}",
    "header beyond the end": (10**6).to_bytes(8, "little") + b"{}",
    "no json": with_header(b"{]"),
    "a list": with_header([1]),
    "deep": with_header(b"[" * 10**5),
    "too short": with_header({"a": ENTRY}, b"0" * 15),
    "too long": with_header({"a": ENTRY}, b"0" * 17),
    "a hole": with_header({"a": {**ENTRY, "data_offsets": [8, 24]}}, b"0" * 24),
    "overlap": with_header({"a": ENTRY, "b": {**ENTRY, "data_offsets": [8, 24]}}, b"0" * 24),
    "a million million": with_header({"a": {**ENTRY, "shape": [10**12]}}, b"0" * 16),
    "unknown type": with_header({"a": {**ENTRY, "dtype": "X9"}}, b"0" * 16),
    "negative": with_header({"a": {**ENTRY, "shape": [-2]}}, b"0" * 16),
    "twice": with_header(TWICE, b"0" * 16),
    "metadata a list": with_header({"__metadata__": [1], "a": ENTRY}, b"0" * 16),
    "order no json": with_header({"__metadata__": {"order": "{"}, "a": ENTRY}, b"0" * 16),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_refused_in_one_line_that_names_it(tmp_path, damage):
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(DAMAGED[damage])
    with pytest.raises(ValueError, match=re.escape(str(path))) as caught:
        read_arrays(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("cut", range(0, 300, 7))
def test_a_file_that_was_cut_off_is_refused(tmp_path, cut):
    whole = packed({"a": np.arange(20.0), "b": np.ones((2, 3))}, {"words": "w"})
    assert cut < len(whole)
    path = tmp_path / "cut.safetensors"
    path.write_bytes(whole[:cut])
    with pytest.raises(ValueError, match=re.escape("cannot be read")):
        read_arrays(path)


def test_a_file_that_is_not_overwritten_stays(tmp_path):
    path = write_arrays(tmp_path / "a.safetensors", {"a": np.ones(2)})
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        write_arrays(path, {"a": np.zeros(2)})
    assert path.read_bytes() == before
    write_arrays(path, {"a": np.zeros(2)}, overwrite=True)
    assert (read_arrays(path)[0]["a"] == 0).all()
