"""The project's tasks. `nox -l` lists them; `nox -s tests` needs nothing but nox."""

import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["tests"]
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_existing_virtualenvs = True  # packages are still brought up to date in each run

ROOT = Path(__file__).parent
EXTRAS = nox.project.load_toml(ROOT / "pyproject.toml")["project"]["optional-dependencies"]
HTML = ROOT / "docs/_build/html"

# A process for each core, and so one thread for each process; who is done first helps the others. More than eight would
# take more memory than they save time, the more so in a container that may use two cores and is shown sixty-four.
MANY_CORES = ("-n", "auto", "--maxprocesses", "8", "--dist", "worksteal")
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the test suite on up to eight cores, with the light dependencies only, on the package as it installs."""
    # Not editable, and `pytest` rather than `python -m pytest`: a file missing from the wheel must fail here.
    session.install(".[test]")
    session.run("pytest", *MANY_CORES, *session.posargs, env=ONE_THREAD)


# The same under every other Python that the package is for; nox skips those that are not on the machine.
for version in ("3.12", "3.13", "3.14"):
    nox.session(tests, python=version, name=f"tests-{version}")


@nox.session
def mutants(session: nox.Session) -> None:
    """Plant mistakes, see which no test notices: -- --sample 50 --seed 1 replay. More: -- --help."""
    # Cosmic Ray, because it writes into the file what it changes and leaves all else where it was. mutmut puts every
    # function behind a switch of its own: it leaves decorated functions out, which all ops are, and a frame more on the
    # stack and other line numbers would be noticed by tests of what is said about a user's line.
    session.install("-e", ".[test]", *EXTRAS["mutants"])
    work = Path(session.create_tmp())
    session.run("python", "tests/mutants", "--work", str(work), *session.posargs, env=ONE_THREAD)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Draw cells, graphs, and calls in any order, by the thousand: ten minutes, or so many with -- 500."""
    session.install(".[test]")
    found = "tests/unfold/test_own_cells.py", "tests/unfold/test_any_order.py", "tests/autodiff/test_ops.py"
    examples = session.posargs[0] if session.posargs else "2000"
    session.run("pytest", "-n", "auto", *found, env=ONE_THREAD | {"TINYGRAD_RNN_EXAMPLES": examples})


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting with ruff, spelling with codespell."""
    session.install(*EXTRAS["lint"])
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("codespell")


@nox.session
def types(session: nox.Session) -> None:
    """Check the package's types with mypy --strict."""
    session.install("-e", ".[types]")
    session.run("mypy")


@nox.session
def lessons(session: nox.Session) -> None:
    """Run every lesson alone, under plain python, with warnings as errors."""
    session.install(".")
    found = sorted((ROOT / "lessons").glob("[0-9][0-9]_*.py"))
    if not found:
        session.error("no lessons/NN_name.py")
    for lesson in found:
        # A folder of its own: a lesson may not lean on what another one left, nor on its own last run.
        folder = Path(session.create_tmp()) / lesson.stem
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        # Silent: its output is shown if it fails, and not being a terminal it waits for no key.
        with session.chdir(folder):
            session.run("python", "-W", "error", str(lesson), silent=True)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site with every lesson executed, warnings as errors; then run the doctests."""
    session.install(".[docs]")
    out = ROOT / "docs/_build"
    shutil.rmtree(out, ignore_errors=True)  # Sphinx leaves the pages of files that are gone
    build = ("sphinx-build", "-q", "-W", "-n", "-d", str(out / "doctrees"))
    session.run(*build, "-b", "html", "docs", str(HTML), *session.posargs)
    session.run(*build, "-b", "doctest", "docs", str(out / "doctest"))
    session.log(f"the site: {HTML / 'index.html'}")


@nox.session(requires=["docs"])
def browser(session: nox.Session) -> None:
    """Open the built site in a real Chromium."""
    session.install(".[browser]")  # the package, to draw pictures with; the site is looked at as files
    session.run("pytest", "tests/browser", *MANY_CORES, *session.posargs, env=ONE_THREAD)


@nox.session
def peers(session: nox.Session) -> None:
    """Compare with PyTorch, JAX, Flax, Keras and onnxruntime on the CPU. Heavy: hundreds of MB."""
    session.install(".[peers]")
    # One thread each: they spin while they wait, and whoever works beside them waits too.
    session.run(
        "pytest", "tests/peers", *session.posargs, env=ONE_THREAD | {"JAX_PLATFORMS": "cpu", "KERAS_BACKEND": "torch"}
    )


@nox.session
def bench(session: nox.Session) -> None:
    """Measure training steps against peers: a minute with -- --quick, half an hour without. More: -- --help."""
    session.install(".[bench]")
    session.run("python", "tests/bench", *session.posargs)
