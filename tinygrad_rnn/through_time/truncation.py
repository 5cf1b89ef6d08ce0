"""Truncated backpropagation through time: gradients that leave out what is far in the past.

Every k1 time steps, an error is sent back over at most k2 of them. In terms of the `influence` G[t, tau] of the
copy at tau on the cost at t, each variant is a mask: `truncation_mask` is that mask.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.asked import asked
from ..unfold import Unfolded
from ..unfold.losses import known_loss
from ..unfold.paying import check_reduction
from ..unfold.recipe import Cell, Loss
from ..unfold.structure import copied, flatten, frozen_copy, rebuild
from ..unfold.validation import initial_state
from .lock_step import LockStep
from .pieces import Pieces
from .stream import Carry, Window, blocks
from .windows import Windows, one_of

Array = NDArray[Any]

STATES = {
    "stored": "as they were computed when the stream passed them, with the weights of that time",
    "recomputed": "computed again in each window, from the state before it, with the weights as they are now",
    "restarted": "computed again like that, but from the state before the window as it was when the stream passed it",
}
LOOPS = {
    "target": "the output at the window's end is compared with the target of that very step",
    "range": "it is compared with the target one step later, and the loop ends one window earlier",
    "published": "as published: the target one step later, and a loop that in the end reads one target too many",
}


@asked
def truncated_gradient(
    net: Unfolded, *, k1: int, k2: int, losses: str = "new", tail: str = "flush"
) -> dict[str, Array]:
    """The gradient of TBPTT(k1, k2) over a whole sequence, with weights that stay as they are: the windows' sum.

    Parameters
    ----------
    net : Unfolded
        The network, its forward pass done; neither it nor its gradients are changed.
    k1, k2, losses, tail
        As in `truncated`.

    Returns
    -------
    dict of str to ndarray
        dC / d weight by name, as much of it as the windows see. Costs weigh what they do in the network: 1, or
        1/T if it takes their mean.

    Raises
    ------
    TypeError, ValueError
        As `truncated`; and if the network's steps are not copies of one step.

    Notes
    -----
    All windows go back in lock step: k2 steps, each for all of them in one array. The errors that meet at one time
    step are added up, and the weights' gradients are read from the sums, once. Errors that meet are not handed on
    as one, for their windows end at different steps: about k2 / k1 times the way back of one whole backward pass.
    """
    windows = Windows(k1, k2, losses, tail).warn()
    windows.fit(net.T)
    errors = LockStep(net)
    for ends, new in windows.over(net.T):
        if ends:
            errors.send(ends, windows.depth(new), windows.counted(new))
    return errors.gradients()


@asked
def cut(net: Unfolded, *at: int) -> None:
    """Cut a network that was recorded: no error passes from these time steps to the steps before them.

    The forward pass stays as it is. The gradients of the next backward pass are those of the truncation: a cost at t
    reaches no copy before the last cut up to t. ``net.cuts`` names the cuts; ``cut(net)``, without a time, mends
    them all. `influence`, `truncated_gradient`, `artbp_gradient` and `flow_graph` are of the whole network, as if
    it were not cut.

    Parameters
    ----------
    net : Unfolded
        The network.
    *at : int
        The time steps; 1 cuts off the initial state.

    Raises
    ------
    ValueError
        If there is no such time step.
    """
    net.cuts = at


@dataclass(frozen=True)
class Truncation:
    """How a stream is read in windows; what can be checked before it begins is checked here.

    Attributes
    ----------
    cell, params, x, d, loss, reduction, s0, states, carry
        As in `truncated`.
    windows : Windows
        Where they lie, and which costs they count.
    """

    cell: Cell
    params: Mapping[str, Any]
    x: Iterable[Any]
    d: Iterable[Any]
    windows: Windows
    _: KW_ONLY
    loss: str | Loss
    s0: Any
    reduction: str = "sum"
    states: str = "stored"
    carry: Carry | None = None

    def __post_init__(self) -> None:
        known_loss(self.loss)
        check_reduction(self.reduction)
        one_of("states", self.states, STATES)
        if any(isinstance(part, str) for part in flatten(self.s0)):
            raise ValueError(
                f"s0={self.s0!r} names a parameter: only windows that reach back to the beginning could train an "
                "initial state. Pass arrays, or unfold the sequence as a whole"
            )
        if isinstance(self.x, Sized):
            if not len(self.x):
                raise ValueError("the stream is empty: x and d must have at least one time step")
            self.windows.fit(len(self.x))
        if self.carry is not None:
            self._refuse_carry(self.carry)

    def _refuse_carry(self, carry: Carry) -> None:
        if self.s0 is not None:
            raise ValueError("s0 is the state before the first step, and carry goes on behind a later one: pass one")
        if isinstance(self.x, Sized) and len(self.x) < carry.last:
            raise ValueError(
                f"the stream has {len(self.x)} steps, and carry goes on behind step {carry.last}: pass the whole "
                "stream again, from its first step"
            )
        self._refuse_to_stop()

    def _refuse_to_stop(self) -> None:
        """Raise ValueError if the next window needs more than states."""
        k1, k2 = self.windows.k1, self.windows.k2
        if k2 > k1 and self.states != "recomputed":
            names = self.windows.names
            raise ValueError(
                f"states={self.states!r} with {names[1]}={k2} above {names[0]}={k1} cannot be stopped and gone on "
                f"with: the next window goes back through what was computed with the weights of an earlier time, of "
                "which a carry has nothing. Choose states='recomputed'"
            )

    def pieces(self) -> Pieces:
        """The networks over the windows."""
        return Pieces(self.cell, self.params, self.loss, self.reduction)

    def start(self, x: Array) -> Any:
        """The initial state, as arrays."""
        return initial_state(self.cell, self.params, self.s0, x.shape[1])

    def blocks(self, past: int = 0) -> Iterator[tuple[int, int, Array, Array]]:
        """The new steps of each window and so many before them, see `blocks`, without a tail that is dropped."""
        k1, start = self.windows.k1, 0 if self.carry is None else self.carry.last
        last = start
        for last, new, x, d in blocks(self.x, self.d, k1, past, start):
            if new == k1 or self.windows.tail != "drop":
                yield last, new, x, d
        if self.windows.tail == "drop" and last < k1:
            raise ValueError(
                f"the stream has ended after {last} steps, before the first window of {k1} was at its end, and "
                "tail='drop' gives the rest no gradient: choose a smaller window, or tail='flush'"
            )

    def run(self, pieces: Pieces | None = None) -> Iterator[Window]:
        """Window after window, each from where the ones before have come to.

        Parameters
        ----------
        pieces : Pieces, optional
            The networks of an earlier stream over data of the same sizes, which are not recorded again.
        """
        windows, pieces = self.windows, pieces or self.pieces()
        first, before, ended = 1, None, None
        passed: deque[Any] = deque(maxlen=windows.k1 + windows.k2)  # the states since, as the stream passed them
        newest: list[Any] = []
        for last, new, known_x, known_d in self.blocks(past=windows.k2):
            depth = min(windows.depth(new), last)
            begin, counted = last - depth + 1, min(windows.counted(new), depth)
            x, d, skipped = known_x[-depth:], known_d[-depth:], known_x[-new : len(known_x) - depth]
            if before is None and self.carry is not None:
                state = self._carried(self.carry, new, depth, x.shape[1])
            elif before is None:
                state = self.start(x)
                passed.append(state)
            elif self.states == "restarted" and depth >= new:
                state = passed[new - depth - 1]
            elif begin - first < before.T:
                state = _numbers(before.states[begin - first])
            else:
                state = ended
            if before is not None and self.states == "stored" and depth > new:
                net = _following(before, pieces, x, d, new, counted, state)
            else:
                net = pieces.over(x, d, pieces.advance(state, skipped) if len(skipped) else state, counted)
            if self.states == "restarted":
                passed.extend(map(_numbers, net.states[1:][-new:]))
            window = _window(net, begin, self._keeping(newest, begin, last))
            first, before, ended = begin, net, frozen_copy(window.state)  # the window is the reader's, to be written to
            newest[:] = last, net, net.tape.passes.values, ended
            yield window
            del window  # so that the next gradients find the memory of these

    def _carried(self, carry: Carry, new: int, depth: int, n_samples: int) -> Any:
        """The state that the first window starts from, if the stream goes on."""
        if depth > new and self.states != "recomputed":  # a tail that reaches back
            raise ValueError(
                f"the last window of the stream reaches back behind step {carry.last}, where it was stopped, and "
                f"states={self.states!r} needs what was computed there: choose tail='short' or tail='drop', or "
                "states='recomputed'"
            )
        begin = min(carry.last + new - depth, carry.last) + 1
        if not 0 <= begin - carry.first < len(carry.states):
            raise ValueError(
                f"carry has no state before step {begin}, where the next window begins: go on with the k1, k2 and tail "
                "that the stream was begun with"
            )
        state = carry.states[begin - carry.first]
        return copied(initial_state(self.cell, self.params, state, n_samples))

    def _keeping(self, newest: list[Any], first: int, last: int) -> Callable[[], Carry]:
        """Makes the carry of a window, as long as it is the newest: all windows share one list of what that is."""
        windows = self.windows

        def keep() -> Carry:
            self._refuse_to_stop()
            now, net, values, ended = newest
            if now != last or net.tape.passes.values is not values:
                raise ValueError(
                    f"the stream has gone on since the window of the steps {first} to {last}: read the carry of a "
                    "window before the next one is asked for"
                )
            if self.states != "recomputed":  # windows that reach back are refused
                return Carry(last, last + 1, (ended,))
            sizes = range(1, windows.k1 + 1) if windows.tail == "flush" else [windows.k1]
            begins = [min(max(1, last + new - windows.depth(new) + 1), last + 1) for new in sizes]
            wanted = range(min(begins), max(begins) + 1)
            return Carry(last, wanted[0], tuple(_numbers(net.states[begin - first]) for begin in wanted))

        return keep


def _following(before: Unfolded, pieces: Pieces, x: Array, d: Array, new: int, counted: int, state: Any) -> Unfolded:
    """The network over a window that goes on where the one before ends, and keeps the values of what they share."""
    if before.obstacle:
        raise ValueError(
            f"states='stored' keeps what a compiled schedule has left, and there is none: {before.obstacle}. "
            "Choose states='recomputed'"
        )
    net = pieces.like(x, counted) or pieces.over(x, d, state, counted)
    net.follow(before, x[-new:], d[-new:])
    return net


def _numbers(state: Any) -> Any:
    """A state's values, in arrays of their own."""
    return rebuild(state, [s.value.copy() for s in flatten(state)])


def _window(net: Unfolded, first: int, keep: Callable[[], Carry] | None = None) -> Window:
    net.backward()
    return Window(first, first + net.T - 1, net.loss, dict(net.grads), net.last_state, keep=keep)


@asked
def truncated(
    cell: Cell,
    params: Mapping[str, Any],
    x: Iterable[Any],
    d: Iterable[Any],
    *,
    k1: int,
    k2: int,
    losses: str = "new",
    tail: str = "flush",
    states: str = "stored",
    loss: str | Loss = "cross_entropy",
    reduction: str = "sum",
    s0: Any = None,
    carry: Carry | None = None,
) -> Iterator[Window]:
    """Truncated backpropagation through time over a stream, TBPTT(k1, k2): every k1 steps, back over at most k2.

    Between windows the parameters may be changed, in place or entry by entry; the windows that follow read them
    as they are then. They are never changed here. Memory is that of one window, however long the stream.

    Parameters
    ----------
    cell, params, loss, s0
        As in `unfold`; `s0` is an array, or a tuple of arrays, and no name of a parameter.
    x, d : array_like (T, B, l) and (T, B, o), or iterables of (B, l) and of (B, o)
        The inputs and the targets; iterables may go on without end.
    k1 : int
        How many steps there are from one window's end to the next one's.
    k2 : int
        Over how many steps a window reaches; the first windows reach back to the beginning, and all of them if there
        are not so many steps. Where k2 < k1, the oldest
        k1 - k2 losses of each window get no gradient at all: there is a warning.
    losses : {"new", "window", "last"}
        Whose costs a window counts: those of the steps since the last window, so that each is counted once; those
        of all its steps, counted again where windows overlap; or that of its last step alone.
    tail : {"flush", "short", "drop"}
        What becomes of the steps after the last window: they are a window too and reach back over k2 steps as all do;
        they are one that begins where a whole one would have begun; or they get no gradient.
    states : {"stored", "recomputed", "restarted"}
        Which values the error goes back through: as they were computed when the stream passed them, with the weights
        of that time; or computed again in each window, with the weights as they are now, from the state
        before the window, which is taken from the window before as that one had it; or computed again from
        that state as it was when the stream passed it. The error goes back through the weights as they are now
        in any case, and with weights that stay as they are there is no difference. What is computed again calls the
        cell again, if its steps are not copies of one step; stored states are refused then.
    reduction : {"sum", "mean"}
        Whether a window's cost is the sum or the mean of those it counts.
    carry : Carry, optional
        The `carry` of a window, behind which the stream goes on as if it had not been stopped, bit by bit. `x` and `d`
        are the whole stream again, from its first step; what was read is passed over. Windows that overlap can be gone
        on with if states are ``"recomputed"``.

    Yields
    ------
    Window

    Raises
    ------
    TypeError, ValueError
        If k1 or k2 is no integer from 1 up, an option has no such value, the stream is empty or shorter than k1,
        `s0` names a parameter, or nobody can go on from `carry`: at once. With a `tail` of ``"drop"``, an iterable
        that ends before the first window is at its end.
    ShapeError
        If arrays do not fit together, when they are read, or parameters change their names or shapes on the way.

    Notes
    -----
    Source: Williams and Peng (1990), whose BPTT(h; h') is this with k1 = h' and k2 = h; Sutskever (2013),
    section 2.8.6, for the names k1 and k2.
    """
    windows = Windows(k1, k2, losses, tail).warn()
    return Truncation(
        cell, params, x, d, windows, loss=loss, s0=s0, reduction=reduction, states=states, carry=carry
    ).run()


@asked
def williams_peng(
    cell: Cell,
    params: Mapping[str, Any],
    x: Iterable[Any],
    d: Iterable[Any],
    *,
    h: int,
    h_prime: int = 1,
    tail: str = "flush",
    loss: str | Loss = "cross_entropy",
    reduction: str = "sum",
    s0: Any = None,
) -> Iterator[Window]:
    """BPTT(h; h') of Williams and Peng: every h' steps, the errors of these steps go back over at most h.

    It is `truncated` with k1 = h' and k2 = h. BPTT(h) is BPTT(h; 1), and BPTT(h; h) sees each step once. In between,
    BPTT(2h'; h') takes twice the work of BPTT(h'; h'), and no error goes back over less than h' + 1 steps.

    Parameters
    ----------
    cell, params, x, d, tail, loss, reduction, s0
        As in `truncated`.
    h : int
        Over how many steps an error goes back at most.
    h_prime : int
        How many steps there are from one backward pass to the next.

    Yields
    ------
    Window

    Raises
    ------
    TypeError, ValueError, ShapeError
        As `truncated`.

    Notes
    -----
    Source: Williams and Peng (1990), "An efficient gradient-based algorithm for on-line training of recurrent
    network trajectories", Neural Computation 2.
    """
    windows = Windows(h_prime, h, tail=tail, names=("h_prime", "h")).warn()
    return Truncation(cell, params, x, d, windows, loss=loss, s0=s0, reduction=reduction).run()


@asked
def epochwise(
    cell: Cell,
    params: Mapping[str, Any],
    x: Iterable[Any],
    d: Iterable[Any],
    *,
    h: int,
    tail: str = "short",
    loss: str | Loss = "cross_entropy",
    reduction: str = "sum",
    s0: Any = None,
) -> Iterator[Window]:
    """Epochs of h steps, each gone back through once it is over: BPTT(h; h), `truncated` with k1 = k2 = h.

    The state is handed on from epoch to epoch, and no error goes back over that border: what is also called stateful
    training in chunks. For a network that is reset before each epoch, see `naive_splitting`.

    Parameters
    ----------
    cell, params, x, d, loss, reduction, s0
        As in `truncated`.
    h : int
        How many steps an epoch has; the length of the stream for full backpropagation through time.
    tail : {"short", "flush", "drop"}
        As in `truncated`; ``"short"`` makes an epoch of the rest.

    Yields
    ------
    Window

    Raises
    ------
    TypeError, ValueError, ShapeError
        As `truncated`.
    """
    windows = Windows(h, h, tail=tail, names=("h", "h"))
    return Truncation(cell, params, x, d, windows, loss=loss, s0=s0, reduction=reduction).run()


@asked
def naive_splitting(
    cell: Cell,
    params: Mapping[str, Any],
    x: Iterable[Any],
    d: Iterable[Any],
    *,
    k: int,
    tail: str = "short",
    loss: str | Loss = "cross_entropy",
    reduction: str = "sum",
    s0: Any = None,
) -> Iterator[Window]:
    """The stream cut into pieces of k steps that know nothing of each other: each starts from the initial state.

    Unlike the windows of `truncated`, a piece does not even see the state that the steps before it have left, so that
    the forward pass is another one, and nothing further back than k steps can be learned at all.

    Parameters
    ----------
    cell, params, x, d, loss, reduction, s0
        As in `truncated`.
    k : int
        How many steps a piece has.
    tail : {"short", "drop"}
        Whether the rest is a shorter piece or gets no gradient.

    Yields
    ------
    Window

    Raises
    ------
    TypeError, ValueError
        As `truncated`.

    Notes
    -----
    Source: Sutskever (2013), "Training recurrent neural networks", section 2.8.6, where it is called naive.
    """
    if tail == "flush":
        raise ValueError("tail='flush': a piece does not reach back over another one; it is 'short' or 'drop'")
    windows = Windows(k, k, tail=tail, names=("k", "k"))
    truncation = Truncation(cell, params, x, d, windows, loss=loss, s0=s0, reduction=reduction)

    def each() -> Iterator[Window]:
        pieces, start = truncation.pieces(), None
        for last, new, x_new, d_new in truncation.blocks():
            start = truncation.start(x_new) if start is None else start
            yield _window(pieces.over(x_new, d_new, start), last - new + 1)

    return each()


@asked
def wikipedia(
    cell: Cell,
    params: Mapping[str, Any],
    x: Iterable[Any],
    d: Iterable[Any],
    *,
    k: int,
    version: str = "target",
    loss: str | Loss = "cross_entropy",
    s0: Any = None,
) -> Iterator[Window]:
    """The loop that Wikipedia gives for truncated backpropagation through time, mended or as published.

    A window of k steps slides along by one step, only its last output is compared with a target, and the error goes
    back through all k copies: it is `truncated` with k1 = 1, k2 = k and losses ``"last"``, without the windows that are
    shorter at the beginning. The state before each window, the context, moves on by one step with the
    parameters as they are after the window's update, and the window is computed again from there.

    Published is a loop over t = 0, ..., n - k in which the output that has read x[t], ..., x[t + k - 1] is compared
    with y[t + k]. For the last t this is y[n], and there are y[0], ..., y[n - 1] only. One of two things must give.

    Parameters
    ----------
    cell, params, x, d, loss, s0
        As in `truncated`.
    k : int
        How many steps a window has.
    version : {"target", "range", "published"}
        Whether the output is compared with y[t + k - 1], the target of its own step, as everywhere in this package;
        or with y[t + k] and the loop ends at n - k - 1; or as published, which ends in an error.

    Yields
    ------
    Window

    Raises
    ------
    IndexError
        At the end of the stream, if the version is the published one and there was a window.
    TypeError, ValueError
        As `truncated`.

    Notes
    -----
    Source: Wikipedia, "Backpropagation through time", section "Pseudocode".
    """
    windows = Windows(1, k, names=("k", "k"))
    one_of("version", version, LOOPS)
    truncation = Truncation(cell, params, x, d, windows, loss=loss, s0=s0)
    ahead = version != "target"

    def slide() -> Iterator[Window]:
        pieces, context, t = truncation.pieces(), None, 0
        for t, _, x_now, d_now in truncation.blocks(past=k - 1 + ahead):
            if len(x_now) < k + ahead:
                continue
            context = truncation.start(x_now) if context is None else context
            targets = np.repeat(d_now[-1:], k, axis=0)  # but for the last one they do not count
            yield _window(pieces.over(x_now[:k], targets, context, counted=1), t - ahead - k + 1)
            context = pieces.advance(context, x_now[:1])
        if version == "published" and t >= k:
            raise IndexError(
                f"Wikipedia's loop runs to t = n - k = {t - k} and compares the output there with y[t + k] = y[{t}]; "
                f"the targets are y[0], ..., y[{t - 1}]: that is one too many. Choose version='target', which "
                "compares with y[t + k - 1], or version='range', which ends one window earlier."
            )
        if t < k + ahead:
            raise ValueError(f"the stream has ended after {t} steps, and the first window needs {k + ahead}")

    return slide()
