"""Exercises: solutions pass, blanks do not, and each planted mistake is found where it is."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from tinygrad_rnn import cli
from tinygrad_rnn.exercises import attempt, exercise, folders, predictions, verdicts
from tinygrad_rnn.exercises.attempt import check_file
from tinygrad_rnn.exercises.verdicts import EMPTY, ERROR, LATE, RIGHT, WRONG
from tinygrad_rnn.view import lessons
from wrong_answers import WRONG as WRONG_ANSWERS

FOLDERS = folders()
ASKED = [(folder, asked) for folder in FOLDERS for asked in folder.exercises]
SLIPS = [(folder, asked, slip) for folder, asked in ASKED for slip in asked.slips]
SIX = FOLDERS[5]


def judged(folder, asked, source, tmp_path):
    return verdicts.judge(asked, exercise.defined(source), tmp_path / "mine.py", folder.solution)


def test_every_lesson_has_at_least_three():
    assert [folder.number for folder in FOLDERS] == [lesson.number for lesson in lessons.lessons()]
    assert all(len(folder.exercises) >= 3 for folder in FOLDERS)
    assert all(len(folder.exercises) == len({asked.name for asked in folder.exercises}) for folder in FOLDERS)
    planted = {folder.number: sum(len(asked.slips) for asked in folder.exercises) for folder in FOLDERS}
    assert all(number >= 4 for number in planted.values()), planted


@pytest.mark.parametrize(("folder", "asked"), ASKED, ids=lambda x: getattr(x, "name", getattr(x, "number", "")))
def test_the_solution_is_right_and_the_blank_is_not(folder, asked, tmp_path):
    assert judged(folder, asked, folder.solution, tmp_path).status == RIGHT
    assert judged(folder, asked, folder.blank, tmp_path).status in (EMPTY, WRONG)
    assert len(asked.hints) >= 2


@pytest.mark.parametrize(
    ("folder", "asked", "slip"), SLIPS, ids=lambda x: getattr(x, "new", getattr(x, "name", getattr(x, "number", "")))
)
def test_a_planted_mistake_is_found_at_its_equation_time_and_term(folder, asked, slip, tmp_path):
    assert folder.solution.count(slip.old) == 1, "the edit must be plain"
    found = judged(folder, asked, slip.made_in(folder.solution), tmp_path)
    assert found.status == WRONG
    assert found.equation == (slip.equation or asked.equation)
    assert found.term == slip.term
    assert found.hints == slip.hints
    assert found.t == slip.first
    assert len(slip.hints) >= 2
    # It is this exercise alone that goes wrong, so the report's first mistake is the planted one.
    others = [judged(folder, other, slip.made_in(folder.solution), tmp_path) for other in folder.exercises]
    assert next(other.name for other in others if other.status != RIGHT) == asked.name


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # some of them overflow, or take a logarithm of less than 0
@pytest.mark.parametrize("wrong", WRONG_ANSWERS, ids=lambda wrong: f"{wrong.lesson} {wrong.name}")
def test_a_wrong_answer_is_named(wrong, tmp_path):
    folder = FOLDERS[wrong.lesson - 1]
    asked = next(asked for asked in folder.exercises if asked.name == wrong.name)
    code = wrong.code if "def " in wrong.code else f"{wrong.name} = {wrong.code}"
    found = judged(folder, asked, f"{folder.solution}\n{code}", tmp_path)
    assert found.status == WRONG
    assert found.equation
    assert wrong.t in (None, found.t)
    if wrong.names:
        assert re.search(wrong.names, f"{found.term} {found.says}")
        assert found.term
    else:
        assert found.term == ""
        assert found.says.endswith(verdicts.UNKNOWN)


def test_wrong_answers_are_of_all_lessons_and_nearly_all_are_named():
    assert {wrong.lesson for wrong in WRONG_ANSWERS} == {folder.number for folder in FOLDERS}
    assert sum(bool(wrong.names) for wrong in WRONG_ANSWERS) >= 0.95 * len(WRONG_ANSWERS)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.number)
def test_blank_and_solution_define_the_same_names(folder):
    names = [re.findall(r"^(?:def )?(\w+)(\(.*\)| = )", text, re.MULTILINE) for text in (folder.blank, folder.solution)]
    assert names[0] == names[1]
    assert {asked.name for asked in folder.exercises} <= {name for name, _ in names[0]}
    lines = [line for text in (folder.blank, folder.solution) for line in text.split("\n")]
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.number)
def test_what_is_to_be_predicted_has_one_right_answer_and_wrong_ones_that_are_named(folder, tmp_path):
    values = [asked for asked in folder.exercises if not asked.cases]
    made = predictions.predictions(folder)
    assert [prediction.name for prediction in made] == [asked.name for asked in values]
    for prediction, asked in zip(made, values, strict=True):
        assert " ".join(prediction.question).strip()
        assert "None" not in " ".join(prediction.question)
        assert [answer.is_right for answer in prediction.foreseen].count(True) == 1
        assert len({answer.text for answer in prediction.foreseen}) == len(asked.slips) + 1
        for answer in prediction.foreseen:
            names = {asked.name: answer.value}
            told = verdicts.judge(asked, names, tmp_path / "mine.py", folder.solution)  # as in the terminal
            assert (told.status == RIGHT, told.term) == (answer.is_right, answer.term)
            assert answer.is_right or answer.term


def test_a_question_keeps_its_columns_and_two_names_may_share_it():
    blank = "# Predict. One\n# and two:\n#\n#     x  y\n#     1  2\n#\n# What?\nONE = None\nTWO = None\n"
    asked = ("Predict. One and two:", "    x  y\n    1  2", "What?")
    assert predictions.question(blank, "ONE") == predictions.question(blank, "TWO") == asked


# ---- a learner at the command line


@pytest.fixture
def cd(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words):
    return CliRunner().invoke(cli.main, ["exercise", *map(str, words)])


def test_start_check_solve(cd):
    assert "written: exercise_06.py" in run(6, "--start").output
    mine = cd / "exercise_06.py"
    checked = run(6, "--check")
    assert checked.exit_code == 1
    assert "error_before   not written yet" in checked.output
    mine.write_text(SIX.solution)
    again = run(6, "--start")
    assert again.exit_code == 1
    assert "stays as it is" in again.output
    assert mine.read_text() == SIX.solution
    solved = run(6, "--check")
    assert solved.exit_code == 0
    assert "All right." in solved.output


def test_a_file_of_another_name(cd):
    assert "then: tinygrad-rnn exercise 6 --file 'my own.py' --check" in run(6, "--start", "--file", "my own.py").output
    assert (cd / "my own.py").read_text(encoding="utf-8") == SIX.blank
    assert [path.name for path in cd.iterdir()] == ["my own.py"]
    assert "error_before   not written yet" in run(6, "--file", "my own.py").output
    assert "--file none.py --start makes one" in run(6, "--file", "none.py").output


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_no_file_is_begun_that_cannot_be_ended(cd):
    refused = [("/dev/full", "No space left on device"), (".", "is a folder"), ("a/b.py", "there is no folder a")]
    for where, says in refused:
        result = run(6, "--start", "--file", where)
        assert result.exit_code == 1
        assert re.fullmatch(f"Error: .*{says}.*\n", result.output)
    assert not list(cd.iterdir())


def test_the_first_mistake_is_named_and_the_hint_becomes_clearer(cd):
    (cd / "exercise_06.py").write_text(SIX.solution.replace("later @ U", "later @ U.T"))
    hints = []
    for _ in range(4):
        output = " ".join(run(6, "--check").output.split())
        assert "hidden_errors: equation (19), t = 4, the share from t+1 at t = 4, p = 1, j = 1 you have" in output
        hints.append(re.search(r"Hint (\d) of 3: (.*?)(?: A clearer|$)", output).groups())
    assert [int(number) for number, _ in hints] == [1, 2, 3, 3]
    assert "without .T" in hints[-1][1]
    assert "Hint 2 of 3" in run(6, "--hint", 2).output
    # Another mistake begins with its first hint.
    (cd / "exercise_06.py").write_text(SIX.solution.replace("return total", "return total / len(delta_j)"))
    assert "Hint 1 of 3" in run(6, "--check").output


def test_what_the_file_remembers_may_be_anything(cd):
    (cd / "exercise_06.py").write_text(SIX.solution.replace("later @ U", "later @ U.T"))
    for text in ("", "[]", "null", json.dumps({"mistake": 3})):
        (cd / ".exercise_06.hints").write_text(text)
        assert "Hint 1 of 3" in run(6, "--check").output


def test_lists_and_refusals(cd):
    assert re.search(r"6 +error_before, hidden_errors", run().output)
    assert "carry a hidden error one step back" in run(6).output
    assert "there are no exercises 99" in run(99).output
    missing = run(6, "--check")
    assert missing.exit_code == 1
    assert "--start makes one" in missing.output


HARM = {
    "an endless loop": ("while True:\n    pass\n", ERROR, r"stopped in line [12]\b"),
    "an endless loop that swallows": (
        "while True:\n    try:\n        1 / 0\n    except BaseException:\n        pass\n",
        ERROR,
        r"stopped in line [1-5]\b",
    ),
    "an endless loop that prints": ("while True:\n    print('x' * 1000)\n", ERROR, r"stopped in line [12]\b"),
    "an exception": ("import numpy as np\n\nnp.ones(2) @ np.ones(3)\n", ERROR, r"line 3 raises ValueError: "),
    "no Python": ("def f(:\n", ERROR, r"line 1 cannot be read: "),
    "an exit": ("x = 1\nexit()\n", ERROR, r"line 2 ends the program"),
    "a hard exit": ("import os\nos._exit(3)\n", ERROR, r"Python itself ended"),
    "a question": ("input()\n", ERROR, r"line 1 raises EOFError"),
    "an endless recursion": ("def f():\n    f()\n\nf()\n", ERROR, r"line 2 raises RecursionError"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("source", "status", "says"), HARM.values(), ids=HARM)
def test_what_the_file_does_harms_nobody(cd, source, status, says):
    mine = cd / "exercise_06.py"
    mine.write_text(source)
    report = check_file(SIX, mine, seconds=3)
    assert report.first.status == status
    assert re.search(says, report.first.says)
    assert [verdict.status for verdict in report.verdicts[1:]] == [LATE] * 3
    assert len(report.printed) <= attempt.MOST_PRINTED


LEAVES = {
    "a fork": "import os, time\nif os.fork() == 0:\n    note()\n    time.sleep(60)\n",
    "a fork in a session of its own": (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    note()\n    time.sleep(60)\n"
    ),
    "a fork of a fork that has ended": (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork():\n        os._exit(0)\n"
        "    note()\n    time.sleep(60)\n"
    ),
    "a program": "import subprocess, sys\np = subprocess.Popen(['sleep', '60'])\nnote(p.pid)\n",
    "a program in a session of its own": (
        "import subprocess, sys\np = subprocess.Popen(['sleep', '60'], start_new_session=True)\nnote(p.pid)\n"
    ),
    "a shell that goes on": "import os\nos.system('sleep 60 & echo $! >> pid')\n",
    "a fork that hears no signal": (
        "import os, signal, time\nif os.fork() == 0:\n    for s in (1, 2, 3, 15):\n"
        "        signal.signal(s, signal.SIG_IGN)\n    note()\n    time.sleep(60)\n"
    ),
    "a chain of forks": (
        "import os, time\nif os.fork() == 0:\n    note()\n    end = time.time() + 60\n    while time.time() < end:\n"
        "        if os.fork():\n            os._exit(0)\n        note()\n        time.sleep(.001)\n"
    ),
}
NOTE = "def note(pid=None):\n    import os\n    open('pid', 'a').write(f'{pid or os.getpid()} ')\n\n"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, what has left its group is not found")
@pytest.mark.parametrize("source", LEAVES.values(), ids=LEAVES)
@pytest.mark.parametrize("then", ["time.sleep(.3)", "os._exit(1)", "while True: pass"])
def test_what_the_file_has_started_ends_with_it(cd, source, then):
    mine = cd / "exercise_06.py"
    mine.write_text(f"{NOTE}{source}import os, time\ntime.sleep(.2)\n{then}\n")
    begun = time.monotonic()
    check_file(SIX, mine, seconds=2)
    assert time.monotonic() - begun < 20
    for pid in (cd / "pid").read_text().split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


def test_a_thread_that_the_file_has_left_running_is_not_waited_for(cd):
    mine = cd / "exercise_06.py"
    mine.write_text(
        f"{SIX.solution}\nimport threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n"
    )
    begun = time.monotonic()
    assert check_file(SIX, mine).first is None
    assert time.monotonic() - begun < 15  # it ends itself after 20


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, limits are other ones")
@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("x = bytearray(10**10)\n", "line 1 raises MemoryError"),
        ("x = [0]\nwhile True:\n    x += x\n", "line 3 raises MemoryError"),
        ("import numpy as np\nx = np.ones(10**10)\n", "line 2 raises .*MemoryError"),
        (
            "f = open('much', 'wb')\nwhile True:\n    f.write(bytes(10**6))\n",
            "line [23] raises OSError: .*File too large",
        ),
        ("import os\nf = os.open('much', os.O_CREAT | os.O_RDWR)\nos.truncate(f, 10**12)\n", "File too large"),
        ("kept = [open('exercise_06.py') for _ in range(10**4)]\n", "line 1 raises OSError: .*Too many open files"),
    ],
)
def test_what_the_file_takes_is_limited(cd, source, says):
    mine = cd / "exercise_06.py"
    mine.write_text(source)
    report = check_file(SIX, mine, seconds=30)  # memory is taken slowly where others take the processor
    assert report.first.status == ERROR
    assert re.search(says, report.first.says)
    assert sum(path.stat().st_size for path in cd.iterdir()) < 2 * attempt.MOST_WRITTEN


LIES = {
    "no lines": "open(sys.argv[3], 'w').write('x' * 10**7)",
    "no verdicts": "open(sys.argv[3], 'w').write('[]\\n3\\n{}\\nnull\\n{\"printed\": 3}\\n' + '[' * 10**5)",
    "other names": 'open(sys.argv[3], \'w\').write(\'{"name": "x", "status": "right"}\\n\')',
    "a pipe": "os.unlink(sys.argv[3]); os.mkfifo(sys.argv[3])",
    "a folder": "os.unlink(sys.argv[3]); os.mkdir(sys.argv[3])",
    "what never ends": "os.unlink(sys.argv[3]); os.symlink('/dev/zero', sys.argv[3])",
    "no traceback": "open(sys.argv[4], 'wb').write(bytes(range(256)))",
    "no clock": "import signal, faulthandler; signal.signal(14, 1); faulthandler.cancel_dump_traceback_later()",
    "no guard": "import signal; os.kill(os.getppid(), signal.SIGKILL)",
}


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_what_the_file_does_to_the_check_is_no_traceback(cd, lie):
    (cd / "exercise_06.py").write_text(f"import os, sys\n{lie}\nos._exit(0)\n")
    result = run(6, "--check")
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "Python itself ended here" in result.output


def test_what_the_check_remembers_may_be_anything_at_all(cd):
    (cd / "exercise_06.py").write_text(SIX.solution.replace("later @ U", "later @ U.T"))
    for text in ('{"level": 1e999, "mistake": "x"}', "[" * 10**5, '{"level": "' + "9" * 5000 + '"}', "{", "x"):
        (cd / ".exercise_06.hints").write_text(text)
        assert "Hint 1 of 3" in run(6, "--check").output


@pytest.mark.slow
def test_what_went_before_an_endless_loop_is_judged_and_its_line_is_named(cd):
    mine = cd / "exercise_06.py"
    source = SIX.solution.replace("    total = 0.0\n", "    total = 0.0\n    while True:\n        total += 1\n")
    mine.write_text(source)
    report = check_file(SIX, mine, seconds=3)
    assert [verdict.status for verdict in report.verdicts] == [RIGHT, RIGHT, ERROR, LATE]
    line = int(re.search(r"stopped in line (\d+)", report.first.says)[1])
    assert source.split("\n")[line - 1].strip() in ("while True:", "total += 1")


def test_prints_are_shown_and_changed_arguments_harm_nobody(cd):
    source = SIX.solution.replace("total = 0.0", "print('here', s.shape)\n    total = 0.0")
    source = source.replace("return total", "delta_j *= 0\n    s *= 0\n    return total")
    (cd / "exercise_06.py").write_text(source)
    report = check_file(SIX, cd / "exercise_06.py")
    assert report.first is None
    assert report.printed == "here (6, 2, 4)\nhere (3, 1, 3)\n"
    assert "| here (6, 2, 4)" in run(6, "--check").output


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ("return total.tolist()", None),
        ("return total[0]", r"the shape is \(4,\) and must be \(4, 4\), \[j, h\]"),
        ("return 'U'", "gives str, the text 'U'; it must give numbers"),
        ("return 2 * total", "you have"),
        ("return total * float('nan')", "you have nan"),
        ("return total + 1", "you have"),
    ],
)
def test_other_answers_are_told_apart(new, says, tmp_path):
    asked = SIX.exercises[2]
    verdict = judged(SIX, asked, SIX.solution.replace("return total", new), tmp_path)
    assert verdict.status == (WRONG if says else RIGHT)
    assert re.search(says or "", verdict.says)
    if new == "return 2 * total":
        assert "everything is 2 times what is right" in verdict.term


KINDS = [
    ("    right", "the return", "gives None, and must give numbers of shape (4, 4), [j, h]"),
    ("    print(right)", "the return", "print shows a number"),
    ("    return 'U'", "text", "gives str, the text 'U'"),
    ("    return '3.5'", "text", "take the quotes away"),
    ("    return {'U': right}", "a dict", "gives dict; it must give numbers"),
    ("    return {1.5}", "a set", "gives set"),
    ("    return (row for row in right)", "a generator", "gives generator"),
    ("    return right.sum", "a builtin_function_or_method", "is it called, with ()?"),
    ("    return [right, right[0]]", "a list of unlike parts", "(4, 4), (4,)"),
    ("    return right, delta_j", "a tuple of unlike parts", "gives tuple of 2"),
    ("    return [None, right[0]]", "a list of unlike parts", "gives list of 2"),
    ("    return [None, 1.0]", "a list with NoneType and float in it", "with NoneType and float in it"),
    ("    return right + 0j", "complex numbers", "gives complex numbers"),
    ("    return right.astype(int)", "whole numbers", "what stands behind the point is cut off"),
    ("    return right > 0", "whole numbers", "(bool)"),
    ("    return np.full_like(right, np.nan)", "no number", "you have nan"),
    ("    right[2, 1] = -np.inf\n    return right", "a number without end", "j = 3, h = 2 you have -inf"),
    ("    return right.T", "the transpose", "j = 1, h = 2"),
    ("    return right[None]", "the shape: the numbers are right", "(1, 4, 4) and must be (4, 4)"),
    ("    return right[1:]", "the first entry, j = 1: it is left out", "(3, 4)"),
    ("    return np.vstack([right, right[:1]])", "the shape: one entry too many after j = 4", "(5, 4)"),
    ("    return right.sum()", "the sum: it is summed over j and h too", "the shape is ()"),
    ("    return right.astype(object)", "dtype=object", "float as objects; it must give numbers of shape (4, 4)"),
    ("    return right + 3", "a number that is added: everything is 3 too large", "you have"),
    ("    return right * 7", "a factor: everything is 7 times what is right", "you have"),
    ("    return -right / len(delta_j)", "the sum over the copies, and the sign", "you have"),
]


@pytest.mark.parametrize(("ends", "term", "says"), KINDS, ids=[ends.strip() for ends, _, _ in KINDS])
def test_what_kind_of_answer_it_is_and_which_one_is_wanted(ends, term, says, tmp_path):
    source = SIX.solution.replace("    return total\n", f"    right = total\n{ends}\n")
    found = judged(SIX, SIX.exercises[2], source, tmp_path)
    assert found.status == WRONG
    assert term in found.term.split(", or ")
    assert says in found.says


@pytest.mark.parametrize(
    ("source", "status", "term", "says"),
    [
        ("gradient_of_u = 3", WRONG, "no function", "gradient_of_u(delta_j, s), and is int"),
        ("def gradient_of_u(delta_j):\n    return 1", WRONG, "the arguments", "called as gradient_of_u(delta_j, s)"),
        ("def gradient_of_u(delta_j, s):\n    'Not yet.'", EMPTY, "", ""),
        ("def gradient_of_u(delta_j, s):\n    ...", EMPTY, "", ""),
        (
            "def gradient_of_u(delta_j, s):\n    return s @ s",
            ERROR,
            "an error",
            "delta_j of shape (5, 2, 4), s of shape",
        ),
        ("gradient_of_u = np.dot", ERROR, "an error", "must give numbers of shape (4, 4), [j, h]"),
    ],
)
def test_what_is_no_answer_yet(source, status, term, says, tmp_path):
    found = judged(SIX, SIX.exercises[2], f"{SIX.solution}\n{source}\n", tmp_path)
    assert (found.status, found.term) == (status, term)
    assert says in found.says


@pytest.mark.parametrize(
    ("value", "term", "says"),
    [
        ("[4]", "a list", "ROWS is list of 1; it must be one number"),
        ("np.zeros(10**6)", "a ndarray", "ROWS is an array of shape (1000000,); it must be one number"),
        ("10**400", "too large a number", "larger than any computer's"),
    ],
)
def test_one_number_is_asked_for(value, term, says, tmp_path):
    found = judged(FOLDERS[0], FOLDERS[0].exercises[0], f"{FOLDERS[0].solution}\nROWS = {value}\n", tmp_path)
    assert (found.status, found.term) == (WRONG, term)
    assert says in found.says


@pytest.mark.parametrize("source", ["raise ValueError('x' * 10**7)", "def f():\n    '\0'"])
def test_what_cannot_be_run_is_said_in_a_short_line(source, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(source)
    says = attempt.check_file(SIX, path).verdicts[0].says
    assert says.startswith(("line 1 raises ValueError: xxx", "your file cannot be read: source code"))
    assert len(says) < 400


def test_a_mistake_in_one_pass_of_a_loop_is_named_as_that(tmp_path):
    source = SIX.solution.replace("range(1, len(delta_j) + 1)", "range(2, len(delta_j) + 1)")
    found = judged(SIX, SIX.exercises[2], source, tmp_path)
    assert found.says.endswith("the term with s and delta_j: it is left out, in the first pass of the loop alone")


def test_right_numbers_in_a_list_are_right_and_told_so(tmp_path):
    source = SIX.solution.replace("return total", "return total.tolist()")
    found = judged(SIX, SIX.exercises[2], source, tmp_path)
    assert found.status == RIGHT
    assert "they stand in a list" in found.says


def test_two_causes_of_the_same_numbers_are_both_named(tmp_path):
    """The graph has no lines from higher boxes to lower ones: read that way round, nothing arrives."""
    sixteen = FOLDERS[15]
    source = sixteen.solution.replace("A[k, :k] @ x[:k]", "A[:k, k] @ x[:k]")
    found = judged(sixteen, sixteen.exercises[0], source, tmp_path)
    assert found.term == "the direction of the lines"
    assert "the same comes of: the term with A: it is left out" in found.says


def test_a_cause_is_named_only_if_all_its_numbers_are_those_of_the_answer(tmp_path):
    """In the first try this is the transpose, and in the second one it is not."""
    source = SIX.solution.replace("return total", "return total.T if len(delta_j) > 4 else 2 * total")
    found = judged(SIX, SIX.exercises[2], source, tmp_path)
    assert found.term == ""
    assert found.says.endswith(verdicts.UNKNOWN)


def test_when_time_is_up_no_more_causes_are_looked_for(tmp_path):
    names = exercise.defined(SIX.solution.replace("return total", "return 1.5 * total.T"))
    found = verdicts.judge(SIX.exercises[2], names, tmp_path / "mine.py", SIX.solution, seconds=0)
    assert (found.status, found.term) == (WRONG, "")


TEN, FIFTEEN = FOLDERS[9], FOLDERS[14]


def test_a_step_is_counted_with_its_own_letter(cd):
    (cd / "exercise_10.py").write_text(TEN.solution.replace("(error @ U)", "(error @ U.T)"))
    output = " ".join(run(10, "--check").output.split())
    assert "row_of_the_table: equation (19), τ = 4, the sum over U at τ = 4, j = 1, h = 1 you have" in output
    (cd / "exercise_10.py").write_text(TEN.solution.replace("(T - lag)", "T"))
    assert "by_lag: G[t, τ], z = 1, the number of pairs at z = 1 you have" in " ".join(
        run(10, "--check").output.split()
    )


def test_an_equation_has_a_number(cd):
    (cd / "exercise_12.py").write_text(FOLDERS[11].solution.replace("A @ pushed", "pushed @ A"))
    assert "influences: (A^z v)_1, z = 1" in " ".join(run(12, "--check").output.split())


def test_between_two_numbers_there_is_always_a_factor_so_it_says_nothing(tmp_path):
    asked = FOLDERS[10].exercises[3]
    assert asked.name == "target"
    verdict = judged(
        FOLDERS[10], asked, FOLDERS[10].solution.replace("return t + k - 1", "return 3 * (t + k)"), tmp_path
    )
    assert (verdict.status, verdict.term) == (WRONG, "")


def test_a_word_may_be_written_with_a_capital(tmp_path):
    asked = FIFTEEN.exercises[-1]
    for word, status in (("Diagonal", RIGHT), (" diagonal", RIGHT), ("triangular", WRONG), (True, WRONG)):
        source = FIFTEEN.solution.replace('EXACT = "diagonal"', f"EXACT = {word!r}")
        assert judged(FIFTEEN, asked, source, tmp_path).status == status


def test_an_answer_without_end_is_wrong_without_noise(tmp_path, recwarn):
    source = TEN.solution.replace("for lag in range(T)])", "for lag in range(T)]) + np.array([0] * (T - 1) + [np.inf])")
    assert judged(TEN, TEN.exercises[4], source, tmp_path).status == WRONG
    assert [str(noise.message) for noise in recwarn] == []


def test_whoever_was_stopped_may_ask_for_a_hint(cd):
    (cd / "exercise_10.py").write_text(TEN.solution.replace("G[t - 1].sum(axis=0)", "G[t + 9]"))
    assert "Hint" not in run(10, "--check").output
    assert "Hint 1 of 3" in run(10, "--hint", 1).output


def test_an_error_in_a_function_names_its_line_and_its_equation(tmp_path):
    asked, path = SIX.exercises[2], tmp_path / "mine.py"
    names = {}
    exec(compile("def gradient_of_u(delta_j, s):\n    return delta_j @ 'x'\n", str(path), "exec"), names)
    verdict = verdicts.judge(asked, names, path, SIX.solution)
    assert (verdict.status, verdict.equation) == (ERROR, "(28)")
    assert verdict.says.startswith("line 2 raises ")


def test_the_command_runs_as_a_program(cd):
    (cd / "exercise_06.py").write_text(SIX.solution)
    done = subprocess.run(
        [sys.executable, "-c", "from tinygrad_rnn.cli import main; main()", "exercise", "6", "--check"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "All right." in done.stdout
