"""What people download: it holds everything, installs into an empty environment and runs from anywhere."""

import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LESSONS = {path.relative_to(ROOT / "lessons").as_posix() for path in (ROOT / "lessons").rglob("*.py")}
LESSONS |= {"ruff.toml", "exercises/ruff.toml"}  # how wide their code is: part of the folder, and in nobody's way
VERSION = re.search(r'__version__ = "(.+)"', (ROOT / "tinygrad_rnn/__init__.py").read_text()).group(1)

pytestmark = pytest.mark.slow


def run(*command, **kwargs):
    ran = subprocess.run(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **kwargs,
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """A folder with the sdist, and the wheel built *from the sdist*: nothing may be missing in it."""
    folder = tmp_path_factory.mktemp("dist")
    # Without isolation: the backend stands in the test environment, and no index is asked.
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT)
    return folder


def test_wheel_holds_types_and_lessons_and_nothing_foreign(dist):
    (wheel,) = dist.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert wheel.name == f"tinygrad_rnn-{VERSION}-py3-none-any.whl"
    assert "tinygrad_rnn/py.typed" in names
    assert {name.removeprefix("tinygrad_rnn/_lessons/") for name in names if "/_lessons/" in name} == LESSONS
    data = ROOT / "tinygrad_rnn/data/public_domain"
    assert {f"tinygrad_rnn/data/public_domain/{path.name}" for path in data.iterdir()} <= names
    assert {name.partition("/")[0] for name in names} == {"tinygrad_rnn", f"tinygrad_rnn-{VERSION}.dist-info"}


def test_sdist_holds_all_that_git_would(dist):
    (sdist,) = dist.glob("*.tar.gz")
    top = f"tinygrad_rnn-{VERSION}"
    with tarfile.open(sdist) as archive:
        names = {name.removeprefix(f"{top}/") for name in archive.getnames()}
    wanted = {"README.md", "LICENSE", "CHANGELOG.md", "noxfile.py", "docs/conf.py", "tests/test_package.py"}
    wanted |= {f"lessons/{name}" for name in LESSONS}
    wanted |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "tinygrad_rnn").rglob("*.py")}
    assert wanted <= names
    made = ("docs/_build/", "docs/_generated/", "docs/lessons/", ".nox/", ".venv")
    assert [name for name in names if name.startswith(made) or "__pycache__" in name] == []


@pytest.mark.network  # the wheel brings its dependencies, as it does for a user
def test_installed_in_an_empty_environment_lesson_1_runs_from_an_unrelated_folder(dist, tmp_path):
    (wheel,) = dist.glob("*.whl")
    scripts = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin")
    venv.create(tmp_path / "env", with_pip=True)
    run(scripts / "python", "-m", "pip", "install", "--quiet", wheel)

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    # No system Graphviz, and nothing of this repository, can help on this PATH.
    env = {"PATH": str(scripts), "HOME": str(tmp_path)}
    if os.name == "nt":
        env["SYSTEMROOT"] = os.environ["SYSTEMROOT"]  # Python on Windows does not start without it
    assert VERSION in run(scripts / "tinygrad-rnn", "--version", cwd=elsewhere, env=env)
    run(scripts / "tinygrad-rnn", "lesson", "1", cwd=elsewhere, env=env)
    run(scripts / "tinygrad-rnn", "exercise", "1", "--start", cwd=elsewhere, env=env)
    run(scripts / "tinygrad-rnn", "draw", "-o", "first.png", cwd=elsewhere, env=env)
    assert "def gradient" in (elsewhere / "exercise_01.py").read_text(encoding="utf-8")
    for kind in ("svg", "png"):
        drawn = list(elsewhere.rglob(f"*.{kind}"))
        assert drawn, f"no {kind} was drawn"
        assert all(path.stat().st_size > 500 for path in drawn)
