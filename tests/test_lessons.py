"""The lessons, as a reader meets them: printed, or stepped through with the keys."""

import os
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from tinygrad_rnn import cli
from tinygrad_rnn.view import lessons, prose

FILES = [found.path for found in lessons.lessons()]


def test_there_are_lessons_and_they_are_numbered():
    assert [found.number for found in lessons.lessons()] == list(range(1, len(FILES) + 1))


@pytest.mark.parametrize("lesson", lessons.lessons(), ids=lambda lesson: lesson.number)
def test_a_lesson_says_first_what_it_gives_and_needs(lesson):
    assert list(lesson.head) == ["Goal", "Needs", "Words"]
    needed = [int(number) for number in re.findall(r"\d+", lesson.head["Needs"])]
    assert all(0 < number < lesson.number for number in needed)
    assert (lesson.head["Needs"] == "nothing") == (lesson.number == 1)
    assert re.fullmatch(r"about (\d+) minutes", lesson.takes)
    assert 10 < lesson.minutes < 45


def test_a_longer_lesson_takes_more_time(tmp_path):
    path = tmp_path / "01_short.py"
    path.write_text("# %% [markdown]\n# # Short\n#\n# " + 600 * "word " + "\n")
    assert lessons.Lesson(1, path).takes == "about 5 minutes"
    path.write_text(path.read_text() + "\n# %%\n" + 100 * "x = 1\n")
    assert lessons.Lesson(1, path).takes == "about 15 minutes"


def test_in_a_terminal_a_lesson_says_its_time(lesson_1):
    assert lesson_1.startswith("Lesson 1, about 15 minutes\n")


OTHERWISE = {path.stem: text for path in FILES for text in [lessons.otherwise(path.read_text("utf-8"))[1]] if text}


@pytest.mark.slow
@pytest.mark.parametrize("stem", OTHERWISE)
def test_lesson_runs_with_the_other_value_that_it_names(stem, tmp_path):
    path = tmp_path / f"{stem}.py"
    path.write_text(OTHERWISE[stem], "utf-8")
    done = subprocess.run([sys.executable, "-W", "error", path], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_lesson_names_another_value_for_a_line():
    text = "# %%\nseries = 'laser'  # otherwise: 'waves'\nn = 1\n"
    other = "# %%\nseries = 'waves'  # otherwise: 'laser'\nn = 1\n"
    assert lessons.otherwise(text) == ("series = 'waves'", other)
    assert lessons.otherwise("n = 1\n") == ("", "")
    assert "23_forecasting_a_laser" in OTHERWISE


@pytest.fixture
def lesson_1(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli.main, ["lesson", "1"])
    assert result.exit_code == 0, result.output
    return result.output


def test_lesson_1_follows_a_share_to_its_root_and_names_its_pictures(lesson_1, tmp_path):
    way = [(12, 5), (9, 5), (22, 5), (17, 5), (26, 5), (22, 4)]
    assert [(int(n), int(t)) for t, n in re.findall(r"t = (\d)   Guo \((\d+)\) ─", lesson_1)] == way
    assert "126 steps, the last one backward 126" in lesson_1  # the player has all of them
    assert " s(0)──U(1)───s(1)──U(2)───s(2)──" in lesson_1
    files = dict(re.findall(r"the (picture|player): (\S+)", lesson_1))
    assert (tmp_path / files["picture"]).read_text(encoding="utf-8").startswith("<svg")
    assert "<html" in (tmp_path / files["player"]).read_text(encoding="utf-8")
    assert "\\" not in re.sub(r"```.*?```", "", lesson_1.replace(r"\e", ""))


def test_a_lesson_ends_with_its_exercises(lesson_1):
    assert "Your turn" in lesson_1
    assert "tinygrad-rnn exercise 1 --start" in lesson_1.replace("\n", " ")


def test_in_a_terminal_pictures_are_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli.main, ["lesson", "9"])
    assert result.exit_code == 0, result.output
    written = re.findall(r"the picture: (\S+)", result.output)
    assert written == [f"tinygrad-rnn-output/lesson-09/picture-{k}.svg" for k in (1, 2)]
    assert all((tmp_path / path).read_text(encoding="utf-8").startswith("<svg") for path in written)


def test_a_lesson_goes_on_without_its_pictures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tinygrad-rnn-output").write_text("a file is in the way")
    result = CliRunner().invoke(cli.main, ["lesson", "2"])
    assert result.exit_code == 0, result.output
    assert "the picture could not be written" in result.output


def test_lesson_1_overwrites_nothing(lesson_1, tmp_path):
    CliRunner().invoke(cli.main, ["lesson", "1"])
    folders = sorted(f.name for f in (tmp_path / "tinygrad-rnn-output").iterdir())
    assert folders == ["lesson-01", "lesson-01-2"]


def test_the_picture_of_lesson_1_is_there_in_pixels_too(lesson_1, tmp_path):
    (file,) = re.findall(r"the picture: (\S+)\.svg", lesson_1)
    assert (tmp_path / f"{file}.png").read_bytes().startswith(b"\x89PNG")


def test_the_ledger_in_lesson_1_adds_up(lesson_1):
    rows = re.findall(r"^ *(\d|sum|∂C/∂U)((?: +[−\d.]+){9})$", lesson_1, re.MULTILINE)
    table = {name: [float(v.replace("−", "-")) for v in numbers.split()] for name, numbers in rows}
    assert set(table) == {*"12345", "sum", "∂C/∂U"}
    assert table["sum"] == table["∂C/∂U"]
    for column, total in zip(zip(*(table[t] for t in "12345"), strict=True), table["sum"], strict=True):
        assert sum(column) == pytest.approx(total, abs=0.003)


def test_a_lesson_that_the_system_stops_gives_one_clear_line(tmp_path, monkeypatch):
    path = tmp_path / "01_reads.py"
    path.write_text("# %% [markdown]\n# # Reads\n\n# %%\nopen('none')\n")
    monkeypatch.setattr("tinygrad_rnn.cli.lesson.lessons", lambda: [lessons.Lesson(1, path)])
    result = CliRunner().invoke(cli.main, ["lesson", "1"])
    assert result.exit_code == 1
    assert "Error: the lesson could not go on" in result.output
    assert "Traceback" not in result.output


def test_elsewhere_a_lesson_is_printed_in_ascii_and_quick_if_that_is_asked_for(tmp_path, monkeypatch):
    path = tmp_path / "01_short.py"
    path.write_text("# %% [markdown]\n# # ∂C\n\n# %% seconds=9 quick=3\nn = 9  # quick: 4\nprint('∂', n)\n", "utf-8")
    monkeypatch.setattr("tinygrad_rnn.cli.lesson.lessons", lambda: [lessons.Lesson(1, path)])
    whole = CliRunner().invoke(cli.main, ["lesson", "1"]).output
    assert "9 seconds or so (3 with --quick)" in whole
    assert "∂ 9" in whole
    quick = CliRunner().invoke(cli.main, ["lesson", "1", "--quick", "--ascii"]).output
    assert quick.isascii()
    assert "3 seconds or so\n" in quick
    assert "d 4" in quick


def test_unknown_lessons_and_the_list():
    result = CliRunner().invoke(cli.main, ["lesson", "99"])
    assert result.exit_code == 2
    assert "there is no lesson 99; there are 1" in result.output
    assert (
        "1  One sentence, unfolded: a weight and its copies (about 15 minutes)"
        in CliRunner().invoke(cli.main, ["lesson"]).output
    )
    assert CliRunner().invoke(cli.main, ["--version"]).output.startswith("tinygrad-rnn, version 0.")


def test_cells_are_those_of_the_percent_format():
    text = "# %% [markdown]\n# # Title\n#\n# text\n\n# %%\nx = 1\n\n# %% tags=['a']\ny = 2\n"
    found = list(lessons.cells(text))
    assert [(c.kind, c.source) for c in found] == [
        ("markdown", "# Title\n\ntext"),
        ("code", "x = 1"),
        ("code", "y = 2"),
    ]
    assert [c.line for c in found] == [2, 7, 10]


def test_a_cell_says_how_long_it_takes_and_a_line_what_it_is_when_time_is_short(tmp_path):
    text = "# %% seconds=40 quick=12\nn = 2, 3  # quick: 4\nm = 5  # quick\n\n# %% seconds=3\nn = 1\n"
    assert [c.seconds for c in lessons.cells(text)] == [40, 3]
    quick = list(lessons.cells(lessons.quicker(text)))
    assert [c.seconds for c in quick] == [12, 3]
    assert quick[0].source == "n = 4  # quick: 4\nm = 5  # quick"


def test_an_error_in_a_lesson_names_its_line(tmp_path):
    path = tmp_path / "01_wrong.py"
    path.write_text("# %% [markdown]\n# # Wrong\n\n# %%\n\nassert 1 == 2\n")
    lesson = lessons.Lesson(1, path)
    with pytest.raises(AssertionError) as error:
        lessons.execute(lesson.cells()[-1], lesson, lessons.fresh_names(lesson))
    assert error.traceback[-1].lineno + 1 == 6


def test_formulas_in_the_text_become_plain():
    text = "see $\\delta = -1$ and\n$$\n\\begin{aligned}\na_j &= \\sum_i b_i, \\\\\nc &= 2\n\\end{aligned}\n$$"
    assert prose.plain_math(text) == "see δ = −1 and\n```text\naⱼ = Σᵢ bᵢ,\nc = 2\n```"


@pytest.mark.parametrize("lesson", lessons.lessons(), ids=lambda lesson: lesson.number)
def test_a_terminal_shows_no_latex(lesson):
    texts = [prose.plain_math(cell.source) for cell in lessons.cells(lesson.text) if cell.kind == "markdown"]
    assert not [text for text in texts if re.search(r"[\\$\0]", text)]


@pytest.mark.parametrize(
    ("latex", "plain"),
    [
        (r"$\frac{1}{1 + e^{-\mathrm{net}}} \tag{13}$", "1/(1 + e^(−net))    (13)"),
        (r"$\frac{\partial^+ z_n}{\partial z_i} = \sum_{j > i} z_j$", "∂⁺ zₙ/∂zᵢ = Σ(j > i) zⱼ"),
        (r"$(\gamma\,\theta)^z + \rho$", "(γ θ)^z + ρ"),
        (r"$\Big( \sum_k^o \delta_{pk} \Big) \text{and} \eta\,\sum_{z=0}^{T} x$", "( Σₖ δₚₖ ) and η Σ(z=0..T) x"),
    ],
)
def test_formulas_of_the_text_in_plain(latex, plain):
    assert prose.plain_math(latex) == plain


def test_a_pipe_gets_utf8_wherever_we_are(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", "from tinygrad_rnn.cli import main; main()", "lesson", "1"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert "∂C/∂U(5) = ∂C/∂netⱼ(5)ᵀ s(4)" in done.stdout.decode("utf-8")
