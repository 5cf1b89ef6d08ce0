"""Commands that two processes begin at one moment; a module of its own, for a process that is spawned imports it."""

import multiprocessing

from click.testing import CliRunner

from tinygrad_rnn.cli import main


def many_times(commands, released, answers):
    """Say each command's exit code and last line; both processes begin each at one moment."""
    for command in commands:
        released.wait(60)
        result = CliRunner().invoke(main, command)
        answers.put((command, result.exit_code, result.stderr.splitlines()[-1:]))


def both_of(commands):
    """How two processes have ended that were released at one moment, for each command."""
    spawned = multiprocessing.get_context("spawn")
    released, answers = spawned.Barrier(2), spawned.Queue()
    two = [spawned.Process(target=many_times, args=(commands, released, answers)) for _ in range(2)]
    for one in two:
        one.start()
    found = [answers.get(timeout=60) for _ in range(2 * len(commands))]
    for one in two:
        one.join()
    return [sorted((code, says) for command, code, says in found if command == each) for each in commands]
