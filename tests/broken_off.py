"""Breaking off a call in the middle, as Ctrl-C does."""

import re
import sys
from pathlib import Path

import numpy as np

import tinygrad_rnn

OURS = str(Path(tinygrad_rnn.__file__).parent), "<"


def interrupted(run, calls):
    """Run it, and break it off at so many calls of the package's, as Ctrl-C would; whether it was."""
    left = calls

    def hook(frame, *_):
        nonlocal left
        if re.search(r"tinygrad_rnn\W(unfold|replay)\W", frame.f_code.co_filename):
            left -= 1
            if left == 0:
                raise KeyboardInterrupt

    sys.setprofile(hook)
    try:
        run()
    except KeyboardInterrupt:
        return True
    finally:
        sys.setprofile(None)
    return False


class Breaker:
    """Breaks a call off at one of its moments: a line that begins, or a call that begins or ends, also of NumPy's.

    Only the package's own moments count, and what it has compiled for a replay. Without `lines`, which take time, only
    calls do.
    """

    def __init__(self, at=0, lines=True):
        self.at, self.count, self.lines = at, 0, lines

    def _moment(self):
        self.count += 1
        if self.count == self.at:
            raise KeyboardInterrupt

    def _traced(self, frame, event, _):
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        if event != "exception":  # it may pass through what is being cleared away, where nothing is raised
            self._moment()
        return self._traced

    def _profiled(self, frame, event, _):
        if (event.startswith("c_") or not self.lines) and frame.f_code.co_filename.startswith(OURS):
            self._moment()

    def __call__(self, run):
        """Whether it was broken off."""
        before = sys.gettrace()
        sys.setprofile(self._profiled)
        if self.lines:
            sys.settrace(self._traced)
        try:
            run()
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(before)
            sys.setprofile(None)
        return False


def moments(run, count=60, lines=True):
    """So many moments of a call, drawn from all that it has: the first and the last ones are among them."""
    all_of_them = Breaker(lines=lines)
    assert not all_of_them(run)
    last = all_of_them.count
    drawn = np.random.default_rng(0).choice(last, min(count, last), replace=False) + 1
    return sorted({*drawn[: count - 2].tolist(), 1, last - 1, last})[:count] if last > count else [*range(1, last + 1)]
