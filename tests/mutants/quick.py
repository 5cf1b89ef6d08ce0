"""What pytest is to do besides, while it is seen which tests reach which lines."""

import signal

import pytest

SLOW = 2  # seconds of CPU time while every line is counted: for a mutant there are always quicker tests


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Leave a test where it is when it has taken too long: it is skipped, and tried on no mutant."""
    signal.signal(signal.SIGVTALRM, too_slow)
    signal.setitimer(signal.ITIMER_VIRTUAL, SLOW)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def too_slow(number, frame):
    pytest.skip("slow")
