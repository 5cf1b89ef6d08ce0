"""A terminal for tests: the real thing, a pseudo-terminal, or a stand-in that keeps what it was shown."""

import os
import re
import select
import subprocess
import sys
import time
from contextlib import contextmanager

COLOURS = re.compile(r"\x1b\[[\d;]*m")
CLEAR = "\x1b[2J\x1b[H"
COMMAND = [sys.executable, "-c", "from tinygrad_rnn.cli import main; main()"]


def bare(text):
    """A text without its colours."""
    return COLOURS.sub("", text)


class Sitting:
    """Somebody at a terminal of this size: what is on the screen, and which keys are pressed next."""

    def __init__(self, descriptor, process):
        self._descriptor, self._process = descriptor, process
        self._text, self._over = "", False
        self.presses = 0

    def screen(self, ends, seconds=300):
        """What is on the screen, as soon as it ends with this pattern and nothing more comes."""
        until = time.monotonic() + seconds
        while not self._over:
            assert time.monotonic() < until, f"no screen ends with {ends!r}: {self._text[-200:]!r}"
            if select.select([self._descriptor], [], [], 0.2)[0]:
                try:
                    self._text += os.read(self._descriptor, 65536).decode(errors="replace")
                except OSError:  # so Linux says that the program has ended
                    self._over = True
            elif re.search(ends, self._text):
                break
        shown, self._text = self._text.replace("\r\n", "\n"), ""
        assert "Traceback" not in shown
        return shown

    def press(self, key):
        """Press a key as soon as the program listens: while the terminal is being switched, one is lost."""
        import termios

        while termios.tcgetattr(self._descriptor)[3] & termios.ICANON:
            assert self._process.poll() is None, "the program has ended"
            time.sleep(0.02)
        os.write(self._descriptor, key.encode())
        self.presses += 1

    def press_too_early(self, keys):
        """Press keys while the program computes."""
        import termios

        while not termios.tcgetattr(self._descriptor)[3] & termios.ICANON:
            assert self._process.poll() is None, "the program has ended"
            time.sleep(0.002)
        os.write(self._descriptor, keys.encode())

    def ended(self):
        """Whether the program has come to an end without an error."""
        return self._process.wait(timeout=60) == 0


@contextmanager
def at_a_terminal(words, size, folder, **environment):
    """Start the command with these words at a pseudo-terminal."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "DISPLAY")}
    env = kept | {"TERM": "xterm"} | environment
    process = subprocess.Popen([*COMMAND, *words], stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=env)
    os.close(theirs)
    try:
        yield Sitting(ours, process)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


class Screen:
    """Stands in for the terminal of a `Reader`; keeps what it was shown, and what was written over its last line."""

    def __init__(self, size, keys=(), clears=True):
        self._size, self.keys = size, iter(keys)
        self.clears = clears
        self.shown, self.written = [], []

    def size(self):
        return self._size

    def key(self):
        return next(self.keys)

    def show(self, text):
        self.shown.append(bare(text))

    def over(self, text):
        self.written.append(text)
