"""What can be drawn of a tape whose network was never finished."""

from __future__ import annotations

from ..autodiff import Tape


class Fragment:
    """What was recorded of a network, as much of it as a picture needs: for a tape whose network was never finished.

    Raises
    ------
    ValueError
        If nothing was recorded of any time step.
    """

    def __init__(self, tape: Tape) -> None:
        steps = [n for n in tape if n.t]
        if not steps:
            raise ValueError("nothing stands on this tape at any time step, so there is nothing to draw")
        self.tape = tape
        self.T = max(n.t or 0 for n in steps)
        self.weights = {str(n): n for n in tape if n.op is None and n.t is None and n.active}
        self.inputs = tuple(n for n in steps if n.op is None and n.role == 0)
        initial = [n for n in tape if n.t == 0]
        # An initial state stands beside the state that follows it, or, where that is not there, beside what reads it.
        after = [[n for n in steps if n.name == s.name] + [n for n in steps if s in n.parents] + [s] for s in initial]
        self.states = tuple(initial), tuple(found[0] for found in after)
