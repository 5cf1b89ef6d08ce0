"""The folder of a run: what it was set to, where it stands, its best weights and its log, none of which can be torn.

All that a run needs to go on stands in one file, which is written whole: weights, optimiser, state, counters, and how
long the log was. What is behind that in the log was never, and is cut off. ``run.json`` makes a folder a run; the rest
is there before it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ..exchange.arrays import read_arrays, write_arrays
from ..exchange.files import UNFINISHED, a_path, write_whole
from .kept import IN_RUN, IN_STATE, misfit

Array = NDArray[Any]

FORMAT = 1
RUN, STATE, BEST, LOG, TIMES, LOCK = (
    "run.json",
    "state.safetensors",
    "best.safetensors",
    "log.jsonl",
    "times.jsonl",
    ".lock",
)
TEXT, TABLE = "data.txt", "data.safetensors"  # of data that are no file
FILM, REPORT = "film.jsonl", "report.html"  # to look at; nothing goes on from them
WORDS = "tinygrad_rnn"  # under which the state's counters stand
OURS = {RUN, STATE, BEST, LOG, TIMES, LOCK, TEXT, TABLE, FILM, REPORT}


class RunFolder:
    """The files of a run.

    Parameters
    ----------
    path : pathlib.Path
        The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    # ---- one at a time

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder, so that nobody else trains in it. The system lets go of it if the holder dies.

        Raises
        ------
        BlockingIOError
            If somebody else holds it.
        OSError
            If nothing can be written into it, or its file system has no locks.
        """
        file = self._lock_file()
        try:
            for left in self.path.glob(f"{UNFINISHED}*"):  # of a holder that was killed: nobody else writes here
                with contextlib.suppress(OSError):
                    left.unlink()
            yield
        finally:
            os.close(file)

    def _lock_file(self) -> int:
        """The lock, held. What the system refuses of it is said of the folder: of a lock nobody has heard."""
        try:
            file = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                _lock(file)
            except OSError:
                os.close(file)
                raise
        except BlockingIOError as error:
            says = "another process trains in this folder; wait for its end"
            raise BlockingIOError(error.errno, says, str(self.path)) from None
        except OSError as error:
            raise type(error)(error.errno, error.strerror, str(self.path)) from None
        return file

    def make(self) -> None:
        """Make the folder, or take one in which no run was begun.

        Raises
        ------
        FileExistsError
            If there is a run, or anything else.
        OSError
            If it cannot be made.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        self.refuse_what_is_there()

    def refuse_what_is_there(self) -> None:
        """Raise FileExistsError if there is a run in the folder, or anything that is no part of one."""
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise FileExistsError(f"{self.path} is a file: out= is the folder of a run, which is made")
        there = {each.name for each in self.path.iterdir() if not each.name.startswith(UNFINISHED)}
        if RUN in there:
            raise FileExistsError(
                f"{self.path} holds a run already: go on with it by tinygrad-rnn resume {self.path}, which is "
                "Run(...).resume() in Python, or choose another name"
            )
        if others := sorted(there - OURS):
            raise FileExistsError(f"{self.path} is there already, and holds {others[0]}: choose another name")

    # ---- what it was set to

    def write_words(self, words: Mapping[str, Any]) -> None:
        """Write down what a run was set to."""
        content = json.dumps({"format": FORMAT, **words}, indent=1, ensure_ascii=False).encode("utf-8", "surrogatepass")
        write_whole(self.path / RUN, lambda: content, overwrite=True, durable=True)

    def words(self) -> dict[str, Any]:
        """What the run was set to.

        Raises
        ------
        FileNotFoundError
            If there is no run.
        ValueError
            If the file is damaged, or of another format.
        """
        file = self.path / RUN
        try:
            read = json.loads(file.read_bytes().decode("utf-8", "surrogatepass"))
        except (FileNotFoundError, NotADirectoryError):
            raise FileNotFoundError(
                f"{self.path} holds no run: there is no {RUN} in it; tinygrad-rnn train --out, or train.fit, begins one"
            ) from None
        except (ValueError, RecursionError):
            raise ValueError(f"{file} is damaged: it is not JSON") from None
        number = read.get("format") if isinstance(read, dict) else None
        if number != FORMAT:
            raise ValueError(
                f"{file} is of format {number!r}, and this version of tinygrad_rnn reads format {FORMAT}: use the "
                "version that has written it"
            )
        _refuse_a_misfit(file, misfit(read, IN_RUN))
        return dict(read)

    # ---- where it stands

    def write_state(self, arrays: Mapping[str, Array], words: Mapping[str, Any], log: Log) -> None:
        """Write down where a run stands; the log is on the disk before."""
        told = json.dumps({"format": FORMAT, **words, "log_bytes": log.flushed()})
        write_arrays(self.path / STATE, arrays, {WORDS: told}, overwrite=True)

    def write_best(self, params: Mapping[str, Array], words: Mapping[str, str]) -> None:
        """Write the weights that are the best so far, which `tinygrad_rnn.load` reads, and what is known of them."""
        write_arrays(self.path / BEST, params, words, overwrite=True)

    def state(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Where the run stands.

        Raises
        ------
        ValueError
            If the file is damaged, or of another format.
        OSError
            If it cannot be read.
        """
        file = self.path / STATE
        arrays, metadata = read_arrays(file)
        try:
            words = json.loads(metadata[WORDS])
            number = words["format"]
        except (KeyError, ValueError, TypeError):
            raise ValueError(f"{file} is not where a run stands: its counters are missing") from None
        if number != FORMAT:
            raise ValueError(f"{file} is of format {number!r}, and this version of tinygrad_rnn reads format {FORMAT}")
        _refuse_a_misfit(file, misfit(words, IN_STATE))
        weights = {name.removeprefix("param.") for name in arrays if name.startswith("param.")}
        if weights != {*words["order"]} or len(weights) != len(words["order"]):
            _refuse_a_misfit(file, "order does not name the weights that are there, each once")
        return arrays, words

    def history(self, length: int) -> list[dict[str, Any]]:
        """The lines of the log, as far as the state goes.

        Raises
        ------
        ValueError
            If there is less of it, or something else.
        OSError
            If it cannot be read.
        """
        file = self.path / LOG
        try:
            written = file.read_bytes()[:length]
        except FileNotFoundError:
            written = b""
        _refuse_a_short_log(file, len(written), length)
        try:
            found = [json.loads(line) for line in written.splitlines()]
        except (ValueError, RecursionError):
            found = [None]
        if not all(isinstance(entry, dict) for entry in found):
            _refuse_a_misfit(file, "it is not JSON, an object each line")
        return found

    def take_time(self, **said: Any) -> None:
        """Note a time. Times are no part of the log, which is the same however fast a run was."""
        with contextlib.suppress(OSError), (self.path / TIMES).open("a", encoding="ascii") as file:
            file.write(json.dumps(said) + "\n")


class Log:
    """The lines of a run, one an evaluation.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    length : int
        How much of it there was where the run stands; what is behind is cut off.

    Raises
    ------
    ValueError
        If there is less.
    OSError
        If it cannot be written.
    """

    def __init__(self, path: Path, length: int) -> None:
        self._file = path.open("ab")
        there = self._file.tell()
        if there < length:
            self._file.close()
            _refuse_a_short_log(path, there, length)
        self._file.seek(length)  # or it would say that it stands behind what is cut off
        self._file.truncate()

    def write(self, entry: Mapping[str, Any]) -> None:
        """Write a line; it counts once the state that follows it is written."""
        self._file.write((json.dumps(entry) + "\n").encode("ascii"))

    def flushed(self) -> int:
        """How many bytes there are, once they are on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self) -> None:
        """Let go of the file."""
        with contextlib.suppress(OSError):  # what a full disk has kept from being written is tried again
            self._file.close()


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except PermissionError as error:  # which is how it says that somebody has it
            raise BlockingIOError(error.errno, error.strerror) from None

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _refuse_a_short_log(file: Path, there: int, written: int) -> None:
    if there < written:
        raise ValueError(f"{file} has {there} bytes, and {written} were written: a part of it is gone")


def _refuse_a_misfit(file: Path, says: str) -> None:
    if says:
        raise ValueError(f"{file} is not complete, or was changed by hand: {says}")


def path_of(name: str, given: Any) -> Path:
    """The path that an argument is.

    Raises
    ------
    TypeError, ValueError
        If it is none.
    """
    try:
        return a_path(given)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}={error}") from None
