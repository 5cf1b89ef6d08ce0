"""The terminal that somebody sits at, and the system's viewer: the one place that sends a terminal what it obeys."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ..view.terminal import raw
from ..view.text import clean

LETTERS = "∂ᵀ◆"  # some that not every terminal has
SECONDS = 5  # that a viewer is waited for
CLEAR = "\x1b[2J\x1b[H"


class Screen:
    """Where pages are shown one in place of the other or, if it cannot be cleared, one below the other."""

    def __init__(self) -> None:
        self.clears = os.environ.get("TERM") != "dumb"
        self._line = ""  # what stands on the last line, if somebody has written over it

    @property
    def here(self) -> bool:
        """Whether somebody reads and types here."""
        return sys.stdin.isatty() and sys.stdout.isatty()

    @property
    def plain(self) -> bool:
        """Whether it has no more letters than ASCII."""
        try:
            LETTERS.encode(sys.stdout.encoding or "ascii")
        except UnicodeEncodeError:
            return True
        return False

    def size(self) -> tuple[int, int]:
        """Columns and lines."""
        found = shutil.get_terminal_size()
        return found.columns, found.lines

    @contextmanager
    def unechoed(self) -> Iterator[None]:
        """Let nothing that is pressed while nobody listens be written on the page, nor be left for the shell."""
        try:
            import termios  # Windows has none, and echoes nothing
        except ImportError:
            yield
            return
        here = sys.stdin.fileno()
        before = termios.tcgetattr(here)
        quiet = [*before]
        quiet[3] &= ~termios.ECHO
        termios.tcsetattr(here, termios.TCSADRAIN, quiet)
        try:
            yield
        finally:
            termios.tcsetattr(here, termios.TCSAFLUSH, before)

    def key(self) -> str:
        """What has been pressed."""
        return click.getchar()

    def show(self, text: str) -> None:
        """Show a page: colours in it are ours, all else was cleaned before."""
        self._line = text.rpartition("\n")[2]
        self._send((CLEAR if self.clears else "\n\n") + text)

    def over(self, text: str) -> None:
        """Write over the last line, as far as there is room for its end."""
        room = self.size()[0] - 1
        text = clean(text)[-room:]
        rest = max(0, min(len(self._line), room) - len(text))
        self._line = text
        self._send("\r" + text + " " * rest + "\b" * rest)

    def _send(self, text: str) -> None:
        stream = raw(sys.stdout)
        stream.write(text)
        stream.flush()


def opened(path: Path) -> bool:
    """Open a file in the system's viewer, and say whether there is one."""
    try:
        if sys.platform == "win32":
            os.startfile(path)
            return True
        if sys.platform == "darwin":
            viewer = "open"
        elif os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
            viewer = "xdg-open"
        else:
            return False  # what a text terminal would open it with takes the screen
        nothing = subprocess.DEVNULL
        with subprocess.Popen(
            [viewer, path.resolve()], stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True
        ) as asked:
            return asked.wait(SECONDS) == 0
    except subprocess.TimeoutExpired:  # some viewers stay
        return True
    except OSError:
        return False
