"""A step on the screen, to the letter."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.view.terminal import Keyboard, frame


@pytest.fixture(scope="module")
def frames():
    cell = tg.cells.Guo(f="tanh", g="softmax")
    params = {
        "V": np.array([[0.5, -0.25], [1.0, 0.125]]),
        "U": np.array([[0.25, -1.0], [0.75, 0.5]]),
        "b_j": np.array([0.125, 0.0]),
        "W": np.array([[1.0, -0.5], [0.5, 0.25], [-0.75, 2.0]]),
        "b_k": np.zeros(3),
    }
    x, d = np.array([[[1.0, 0.0]], [[0.0, 2.0]]]), np.eye(3)[[2, 0]][:, None]
    net = tg.unfold(cell, params, x, d, s0=np.array([[0.5, -0.5]]))
    return {step.text: frame(step) for step in net.steps()}


def test_forward(frames):
    assert frames["netⱼ(1) = x(1) V(1)ᵀ + s(0) U(1)ᵀ + bⱼ(1)"] == (
        "── forward 4   t = 1   Guo (2) ───────────────────────────────────────────────\n"
        "\n"
        "   netⱼ(1) = x(1) V(1)ᵀ + s(0) U(1)ᵀ + bⱼ(1)\n"
        "\n"
        "      x(1)   [  1.000   0.000 ]\n"
        "      V(1)   [  0.500  −0.250 ]\n"
        "             [  1.000   0.125 ]\n"
        "      s(0)   [  0.500  −0.500 ]\n"
        "      U(1)   [  0.250  −1.000 ]\n"
        "             [  0.750   0.500 ]\n"
        "     bⱼ(1)   [  0.125   0.000 ]\n"
        "            ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄\n"
        "   netⱼ(1) = [  1.250   1.125 ]\n"
        "\n"
        "   entry (1, 1):  1.000 · 0.500 + 0.000 · (−0.250) + 0.500 · 0.250 +\n"
        "                  (−0.500) · (−1.000) + 0.125 = 1.250\n"
    )


def test_backward_adds_to_what_was_there(frames):
    lines = frames["∂C/∂s(1) += ∂C/∂netₖ(1) W(1)"].split("\n")
    assert lines[0].startswith("── backward 3")
    assert "t = 1   Guo (22)" in lines[0]
    rows = {line.split("=")[0].strip(): line.split("[")[1] for line in lines if " = [" in line}
    before, share, after = ([float(v.replace("−", "-")) for v in rows[k].strip(" ]").split()] for k in rows)
    assert list(rows) == ["before", "share", "∂C/∂s(1)"]
    np.testing.assert_allclose(np.add(before, share), after, atol=0.0011)
    largest = int(np.argmax(np.abs(share))) + 1
    worked = " ".join(line.strip() for line in lines if "entry" in line or line.startswith(" " * 10 + " "))
    assert f"entry (1, {largest}):" in worked
    assert f"= {share[largest - 1]:.3f}".replace("-", "−") in worked


def test_no_line_is_wider_than_the_screen(frames):
    assert max(len(line) for text in frames.values() for line in text.split("\n")) <= 80


@pytest.mark.parametrize(
    ("pressed", "keys"),
    [
        ("\x1b[C\x1b[D", ["\x1b[C", "\x1b[D"]),
        ("\r\n q", ["\r", "\n", " ", "q"]),
        ("\x1b", ["\x1b"]),
        ("\x1bOA\x1b[1~x", ["\x1bOA", "\x1b[1~", "x"]),
        ("\xe0Mà", ["\xe0M", "à"]),
    ],
)
def test_what_comes_in_one_piece_is_keys_one_by_one(pressed, keys):
    pieces = iter([pressed])
    keyboard = Keyboard(lambda: next(pieces), print)
    assert [keyboard.key() for _ in keys] == keys


@pytest.mark.parametrize(
    ("pressed", "line"), [("ab\r", "ab"), ("ab\x7fc\x7f\x08\x08d\n", "d"), ("ab\x1b", None), ("a\x1b[Cb\r", "ab")]
)
def test_a_line_is_typed_mended_and_left(pressed, line):
    pieces, shown = iter([pressed]), []
    assert Keyboard(lambda: next(pieces), shown.append).line("Which? ") == line
    assert shown[0] == "Which? "
    assert shown[1] == f"Which? {pressed[0]}"
