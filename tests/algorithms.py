"""Where each algorithm is: its public names, the lessons and pages that use them, the tests that check them.

The page "Where everything is" shows this table and is not built while something in it is missing; `test_algorithms.py`
asks the same.
"""

import operator
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import tinygrad_rnn as tg

ROOT = Path(__file__).parents[1]
LESSONS = {int(path.name[:2]): path for path in (ROOT / "lessons").glob("[0-9][0-9]_*.py")}
FOLDERS = {"cells", "train", "Unfolded"}  # parts of a dotted name that say nothing about an algorithm


class Algorithm(NamedTuple):
    """A row: public names are those after ``tg.``; the test ``folder/name`` is ``folder/test_name.py``."""

    name: str
    public: list[str]
    lessons: list[int]
    tests: list[str]
    pages: list[str]

    @property
    def words(self) -> set[str]:
        """What a lesson, a page or a test must use as code, one of them, to count."""
        return {part for name in self.public for part in name.split(".")} - FOLDERS


# algorithm | public names | lessons | tests | pages
TABLE = """
full backpropagation through time | unfold Unfolded.backward | 1 6 7 9 | unfold/gradients | notation methods
the 28 equations, by hand | guo | 4 5 6 7 8 | guo equations | equations
influence of a copy on a cost | influence influence_norms plot_influence | 10 | through_time/influence | through_time
whose mistake gives these numbers | diagnose | 22 | through_time/diagnosis | through_time
a cell's backward pass, derived | Unfolded.derivation | 22 | unfold/derivation | howto
the same written out as a program | Unfolded.written | 22 | unfold/written | howto
influence by distance | plot_lags | 10 13 | view/plots | gallery
masks of truncation, as maps | plot_masks truncation_mask | 11 | view/plots | gallery
TBPTT(k1, k2) | truncated truncated_gradient truncation_mask | 11 12 21 | through_time/truncation | through_time
truncation drawn and stepped through | cut | 11 12 | through_time/cut | through_time
epochwise BPTT | epochwise | 11 12 | through_time/truncation | through_time
BPTT(h; h') of Williams and Peng | williams_peng | 11 | through_time/truncation | through_time
Wikipedia's loop | wikipedia | 11 | through_time/truncation | through_time
naive splitting | naive_splitting | 11 | through_time/truncation | through_time
ARTBP, truncation at random | artbp artbp_gradient | 12 | through_time/random_truncation | through_time methods
RTRL, real-time recurrent learning | rtrl | 15 16 18 | through_time/rtrl | methods through_time
UORO | uoro | 15 | through_time/uoro | methods
e-prop | eprop | 15 18 | through_time/eprop | methods
Mozer's focused backpropagation | focused cells.Mozer | 18 | through_time/focused | methods
Beaufays and Wan's transposed graphs | flow transposed transfer draw_flow | 16 | through_time/transposition view/flow |
ordered derivatives, after Werbos | ordered | 2 | through_time/ordered | glossary
checkpoints | checkpointed Checkpoints | 17 | through_time/checkpoints | memory_and_pathology methods
gamma memory, of fixed size | fixed_memory GammaMemory | 17 | through_time/gamma | memory_and_pathology
Jacobians and products | pathology.jacobians pathology.products | 13 14 | through_time/pathology | memory_and_pathology
a bound on what comes back | pathology.vanishing_bound | 13 | through_time/pathology | memory_and_pathology
clipping the gradient | clip_by_norm clip_by_value | 13 14 | train/clipping | memory_and_pathology
clipping the error on its way back | cells.ErrorClipped | 13 | unfold/error_clipped | memory_and_pathology
LSTM | cells.LSTM | 14 | unfold/cells | memory_and_pathology notation
GRU | cells.GRU | 14 | unfold/cells | notation
layers of cells | cells.Stacked | 6 | unfold/cells | notation
untied weights | untie | 9 10 | through_time/untied | memory_and_pathology
measured slopes | check Unfolded.check | 13 19 | autodiff/check unfold/check | howto
gradient descent, momentum | train.SGD train.Momentum train.Nesterov | 7 13 | train/optimisers | howto
steps of a size for each entry | train.Adagrad train.RMSprop train.Adam train.AdamW | 13 21 | train/optimisers | howto
a forecast, one step ahead and on its own | train.forecast train.Forecast | 23 | train/forecasting | howto
baselines | train.autoregression train.season_of train.unigram train.bigram | 23 | train/baselines | howto
errors in parts of what costs nothing | train.nmse train.mase train.rmse | 23 | train/measures | howto
training in a folder | train.fit train.Run | 21 23 | train/resume | training howto
a text drawn from a network | train.sample train.Sample train.Writing | 21 | train/sampling | howto
initialisers | train.orthogonal train.identity train.scaled_normal train.scale_to_radius | 13 | train/initialisers |
"""


def algorithms() -> Iterator[Algorithm]:
    """The table, row by row."""
    for line in TABLE.strip().splitlines():
        name, public, lessons, tests, pages = (cell.strip() for cell in line.split("|"))
        yield Algorithm(name, public.split(), [int(n) for n in lessons.split()], tests.split(), pages.split())


def missing(row: Algorithm) -> Iterator[str]:
    """What the row promises and is not there."""
    for name in row.public:
        if name.partition(".")[0] not in tg.__all__:
            yield f"tg.{name} is not public"
        try:
            operator.attrgetter(name)(tg)
        except AttributeError:
            yield f"tg.{name} does not exist"
    for n in row.lessons:
        yield from _silent(f"lesson {n}", LESSONS.get(n), row)
    for name in row.tests:
        yield from _silent(f"the test {name}", file_of_test(name), row)
    for name in row.pages:
        yield from _silent(f"the page {name}", ROOT / "docs" / f"{name}.md", row)
    if not row.public or not row.tests or not (row.lessons or row.pages):
        yield "a row has a public name, a test, and a lesson or a page"


def file_of_test(name: str) -> Path:
    """The file of a test in the table."""
    folder, _, short = name.rpartition("/")
    return ROOT / "tests" / folder / f"test_{short}.py"


def _silent(what: str, file: Path | None, row: Algorithm) -> Iterator[str]:
    """A complaint if there is no such file, or if it neither uses a name of the row as code nor says the row's own."""
    code, said = "|".join(sorted(row.words)), re.escape(row.name.partition(",")[0].removesuffix("s"))
    if file is None or not file.is_file():
        yield f"{what} does not exist"
    elif not re.search(rf"[.`](?:{code})\b|\b(?:{code})(?:\(|\.\w)|(?i:\b{said})", file.read_text("utf-8")):
        yield f"{what} uses none of {', '.join(sorted(row.words))}"
