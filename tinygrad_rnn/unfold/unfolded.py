"""An unfolded network, and everything that one can ask of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from ..autodiff import (
    BadNumber,
    CheckReport,
    Cotangents,
    Node,
    Push,
    ShapeError,
    SourceLine,
    Tangents,
    TapeError,
    check_tape,
    first_bad,
)
from ..autodiff.asked import asked, asked_if_it_fails
from ..autodiff.calling import as_array
from ..autodiff.collector import collector_at_rest
from ..replay import PASSES, Folded, Program, join_products
from .derivation import Derivation, derivation
from .executor import BufferCotangents, Executor
from .fold import Different, fold_all
from .gradients import Copied, Named
from .graph import graph
from .paying import Paying
from .recipe import Recipe, Recorded
from .recording import Recording
from .steps import Step, walk
from .structure import flatten, rebuild
from .validation import (
    check_keep,
    fitting,
    fitting_data,
    fitting_errors,
    fitting_state,
    fitting_weights,
    samples_first,
)
from .written import written

Array = NDArray[Any]


class Unfolded:
    """A recurrent network unfolded over one batch of sequences. Made by `unfold`.

    Attributes
    ----------
    tape : Tape
        Every node, in the order it was recorded.
    params : mapping
        The arrays that were passed in; a replay reads them again.
    weights : dict of str to Node
        The one set of weights that all copies are tied to.
    states : tuple
        s(0)..s(T): each a node, or a tuple of nodes if the cell's state is one.
    outputs, losses : tuple of Node
        y(1)..y(T) and C(1)..C(T).
    cost : Node
        The sum, or the mean, of the losses that count.
    counted : tuple of int
        The time steps whose losses count.
    finite : bool
        Whether `unfold`, `replay` and `backward` raise TapeError where a number is not finite, naming the
        first one; it can be switched at any time.
    schedule : str
        How a replay is played: the loops over the copies, or why there is no plan. Empty before the
        first replay.
    """

    def __init__(
        self,
        tape: Recording,
        params: Mapping[str, Array],
        weights: dict[str, Node],
        steps: Sequence[Recorded],
        s0: Any,
        cost: Node,
        recipe: Recipe,
        paying: Paying,
        batch_first: bool = False,
    ) -> None:
        self.tape = tape
        self.params = params
        self.weights = weights
        self._data = {what: tuple(step.data[what] for step in steps) for what in steps[0].data}
        self.inputs, self.targets = self._data["x"], self._data["d"]
        self.masks = self._data.get("mask", ())
        self.states = (s0, *(step.state for step in steps))
        self.outputs = tuple(step.output for step in steps)
        self.losses = tuple(step.cost for step in steps)
        self.cost = cost
        self.counted = tuple(int(t) for t in np.flatnonzero(recipe.shares) + 1)
        self._steps = tuple(steps)
        self._recipe = recipe
        self._paying = paying
        self._batch_first = batch_first
        self._dtype = self.inputs[0].value.dtype
        self._size = len(tape)  # what is recorded on the tape later is not the network's own
        self._executor: Executor | None = None
        self._difference: Different | Literal["not asked"] | None = "not asked"
        self._obstacle = ""
        self.schedule = ""
        self._keep = "needed"
        self.finite = False
        # Of the last backward pass, once they are asked for.
        self._grads: tuple[Cotangents[Any], Mapping[str, Array]] | None = None
        self._copies: Copied | None = None
        self._no_copies = {
            name: f"the parameter {name!r} is an initial state: it is read once, before the first step, and has "
            f"no copies in time; grads[{name!r}] is its gradient"
            for name in recipe.initial
        }
        self._shapes = {name: leaf.shape for name, leaf in weights.items()}
        self._data_shapes = {what: (len(steps), *leaves[0].shape) for what, leaves in self._data.items()}
        self._copied = tuple(name for name in weights if name not in recipe.initial)
        self._cuts: frozenset[int] = frozenset()

    @property
    def T(self) -> int:
        """How many time steps, and so how many copies, there are."""
        return len(self.losses)

    @property
    def loss(self) -> float:
        """The cost C.

        Raises
        ------
        TapeError
            If the forward pass was left before its end.
        """
        self._need_forward()
        return float(self.cost.value)

    def _need_forward(self) -> None:
        if not self.tape.computed(self.cost):
            raise TapeError("the forward pass was left before its end: run the steps to their end, or replay()")

    @property
    def keep(self) -> str:
        """Which numbers of a replay keep a place, see `unfold`; another choice holds from the next replay on."""
        return self._keep

    @keep.setter
    def keep(self, keep: str) -> None:
        check_keep(keep)
        if keep != self._keep and self._executor is not None:
            self._compile_anew()
        self._keep = keep

    @property
    def cuts(self) -> tuple[int, ...]:
        """The time steps that hand no error to the step before them, see `tinygrad_rnn.cut`."""
        return tuple(sorted(self._cuts))

    @cuts.setter
    def cuts(self, at: Iterable[int]) -> None:
        at = list(at)
        for t in at:
            if isinstance(t, bool) or not isinstance(t, int | np.integer) or not 1 <= t <= self.T:
                raise ValueError(f"cut at {t!r}: a network is cut before a time step, an integer from 1 to {self.T}")
        self.tape.passes.cotangents = None  # what came back was of a network cut elsewhere
        self._cuts = frozenset(map(int, at))
        self.tape.through = uncut(self._cuts) if at else None
        if at and self._executor is not None and not self._executor.program.can_be_cut:
            self._compile_anew()

    @property
    def last_state(self) -> Any:
        """The numbers of s(T), in arrays of their own: what the next piece of a sequence starts from."""
        return rebuild(self.states[-1], [s.value.copy() for s in flatten(self.states[-1])])

    @property
    def stale(self) -> tuple[str, ...]:
        """The parameters that were changed since the forward pass.

        Values and gradients are still those of the old parameters, all of them: a pass never mixes the two. Use
        `replay` to make them those of the new ones.
        """
        return tuple(
            name
            for name, leaf in self.weights.items()
            if name not in self.params or not np.array_equal(leaf.value, self.params[name], equal_nan=True)
        )

    def __repr__(self) -> str:
        x = self.inputs[0].value
        return f"<network unfolded over {self.T} time steps, {x.shape[0]} samples, {len(self.tape)} nodes>"

    @asked_if_it_fails
    def backward(self, of: int | None = None, *, later: Any = None) -> None:
        """Send the error back through every copy.

        Parameters
        ----------
        of : int, optional
            Start from the cost C(of) of this time step alone, as Guo does in (26)-(28); from the
            whole cost if none is named.
        later : ndarray (B, m), or tuple of these, optional
            For a piece of a longer sequence: what comes back to s(T) from the steps after it, dC / d s(T), in the
            cell's structure. What this piece hands on is the cotangent of its ``states[0]``.

        Raises
        ------
        ShapeError
            If `later` has another structure or shape than the state.
        ValueError
            If both `of` and `later` are given.
        TapeError
            If the error has been sent back already, and the parameters were changed since the forward pass.
        """
        if of is not None and later is not None:
            raise ValueError(f"backward: of={of} starts from one cost alone, and later= comes from beyond: pass one")
        errors = None if later is None else fitting_errors(self.states[-1], later, self.cost.value.dtype)
        # A training loop without a replay goes back twice over one forward pass; one with a replay never pays for this.
        if self.tape.cotangents is not None and self.stale:
            raise TapeError(
                f"{', '.join(self.stale)} changed since the forward pass, and this would send the error back once more "
                "through the old values: call replay() before backward()"
            )
        executor, cuts = self._executor, self.cuts
        if of is None and executor is not None and executor.can_go_back(errors, cuts):
            executor.backward(errors, cuts)
        else:
            besides: dict[Node, Array] = {}
            for part, error in zip(flatten(self.states[-1]), errors or [], strict=bool(errors)):
                if part.active:
                    besides[part] = besides[part] + error if part in besides else error
            self.tape.backward(self._root(of), besides=besides)
        self._refuse_bad()

    def first_bad(self) -> BadNumber | None:
        """The first number that is not finite, or None: values in the order of the tape, then what came back.

        Whether it came in from outside or which op has made it, out of which finite numbers, is what it
        prints. Set `finite` to be told at once.
        """
        executor, root = self._executor, self.tape.swept
        if executor is not None and executor.values is not None and (executor.cotangents is not None or root is None):
            with np.errstate(all="ignore"):
                if executor.program.finite(errors=root is not None):  # a look at whole buffers is cheap
                    return None
        return first_bad(self.tape)

    def _refuse_bad(self) -> None:
        bad = self.first_bad() if self.finite else None
        if bad is not None:
            raise TapeError(str(bad))

    def _root(self, of: int | None) -> Node:
        return self.cost if of is None else self.losses[self._time_step("of", of) - 1]

    def _time_step(self, argument: str, t: int) -> int:
        if isinstance(t, bool) or not isinstance(t, int | np.integer) or not 1 <= t <= self.T:
            raise ValueError(f"{argument}={t!r}: it is a time step, an integer from 1 to {self.T}")
        return int(t)

    @asked
    def pushforward(self, tangents: Mapping[str | Node, Any], at: int | None = None) -> Iterator[Push[Array]]:
        """Carry a disturbance of the weights forwards through time, contribution by contribution.

        Parameters
        ----------
        tangents : mapping of str or Node to array_like
            The disturbance of each weight, by its name; that of a state or of any other node, by the node.
        at : int, optional
            Disturb the copies of this time step alone, as if they were not tied to the others; all
            copies alike if none is named.

        Raises
        ------
        KeyError
            If there is no weight of that name.
        TapeError, ShapeError
            See `tinygrad_rnn.Tape.pushforward`.
        """
        return self.tape.pushforward(self._disturbed(tangents, at))

    @asked
    def tangents(self, tangents: Mapping[str | Node, Any], at: int | None = None) -> Tangents:
        """What a disturbance does to every node in the end, see `pushforward`: ``tangents(...)[net.cost]`` is dC."""
        return self.tape.tangents(self._disturbed(tangents, at))

    def _disturbed(self, tangents: Mapping[str | Node, Any], at: int | None) -> dict[Node, Any]:
        nodes = self.weights if at is None else self._steps[self._time_step("at", at) - 1].copies
        disturbed: dict[Node, Any] = {}
        for who, tangent in tangents.items():
            if not isinstance(who, str | Node):
                raise TypeError(f"tangents names {who!r}: it must be the name of a weight, or a node")
            if isinstance(who, str) and who not in self.weights:
                raise KeyError(f"there is no parameter {who!r}; there are {', '.join(self.weights)}")
            node = who if isinstance(who, Node) else nodes.get(who)
            if node is not None:  # a weight that this time step does not read has no copy there
                disturbed[node] = tangent
        return disturbed

    @asked
    def check(self, rng: int | np.random.Generator | None = 0) -> CheckReport:
        """Check every derivative of the network numerically, at the very values it has now; it stays as it is.

        Every op's value, vjp and jvp; the cotangent of every node against what disturbing that node does to
        the cost; the gradient of every copy of a weight, disturbed alone as if it were not tied; and the
        gradient of every weight. Where a network has very many nodes, some are drawn.

        If a backward pass was run, what it has brought is checked, be it by the tape or by a program.

        Parameters
        ----------
        rng : int or numpy.random.Generator, optional
            Where the random directions come from.

        Returns
        -------
        CheckReport
            It prints as a table, has ``ok``, and names the ``first`` thing that is wrong.

        Raises
        ------
        TapeError
            If the forward pass was left before its end, or if the last backward pass was given error from later
            steps: the cost here is not what that is the slope of.
        """
        back = self.tape.cotangents
        if back is not None and back.complete and back.besides:
            raise TapeError("the last backward pass was given error from later steps: call backward() before check()")
        if self.cuts:
            raise TapeError(
                f"the network is cut before t={', '.join(map(str, self.cuts))}: its gradients are a truncation's, and "
                "no slope of the cost is like them. Mend it first, with tinygrad_rnn.cut(net)"
            )
        weights = {leaf.index for leaf in self.weights.values()}
        copies = {node.index for step in self._steps for node in step.copies.values()}

        def kind(node: Node) -> str:
            return "gradient" if node.index in weights else "copy" if node.index in copies else "cotangent"

        root = self.cost if self.tape.swept is None else self.tape.swept
        return check_tape(self.tape, root, rng, kind)

    @property
    def grads(self) -> Mapping[str, Array]:
        """dC / d weight by name: the sum of the gradients of the weight's copies."""
        back = self._last_backward()
        if isinstance(back, BufferCotangents):
            return back.gradients
        if self._grads is None or self._grads[0] is not back:
            each = {name: self._received(back, leaf) for name, leaf in self.weights.items()}
            self._grads = back, MappingProxyType(Named(each))
        return self._grads[1]

    @property
    def copies(self) -> Mapping[str, Array]:
        """dC / d copy by name, (T, ...): entry t - 1 is the gradient of the copy of time step t."""
        back = self._last_backward()
        if self._copies is None or self._copies.back is not back:
            steps, untied, weights, dtype = self._steps, self._recipe.untied, self.weights, self._dtype

            def read(name: str) -> Array:  # holds what it needs, and not the network: that would be a circle
                shape = weights[name].shape[untied:]
                copies = [step.copies.get(name) for step in steps]
                each = [None if copy is None else back[copy] for copy in copies]
                return np.stack([np.zeros(shape, dtype) if g is None else np.asarray(g) for g in each])

            self._copies = Copied(back, self._copied, read, self._no_copies)
        return self._copies

    @property
    def input_grads(self) -> Array:
        """dC / dx, in the shape of x: what each input of each time step does to the cost.

        Raises
        ------
        TapeError
            If the network was unfolded without ``input_grads=True``, or no backward pass was run.
        """
        if not self._recipe.input_grads:
            raise TapeError("the inputs have no gradients: unfold with input_grads=True")
        back = self._last_backward()
        grads = np.stack([self._received(back, x) for x in self.inputs])
        return np.swapaxes(grads, 0, 1) if self._batch_first else grads

    def _last_backward(self) -> Cotangents[Any]:
        back = self.tape.cotangents
        if back is None or not back.complete:
            if not self.tape.values.lazy:  # they are of no recording, but of a later pass
                raise TapeError(
                    "there are no gradients yet of the last forward pass, and those of an earlier one belong to other "
                    "numbers: call backward() after replay(), or let the steps run to their end"
                )
            raise TapeError("there are no gradients yet: call backward() first, or let the steps run to their end")
        return back

    def _received(self, back: Cotangents[Any], node: Node) -> Array:
        g = back[node]
        return np.zeros(node.shape, self._dtype) if g is None else np.array(g)

    @asked
    def steps(self, of: int | None = None) -> Iterator[Step]:
        """Run the forward and then the backward pass, yielding each step as it happens.

        The same passes that `replay` and `backward` run to their end.
        """
        return walk(self.tape, self._root(of))

    @asked_if_it_fails
    def replay(self, x: Any = None, d: Any = None, *, mask: Any = None, s0: Any = None, weights: Any = None) -> float:
        """Run the forward pass again, on new data if some is given, with the parameters as they are now.

        What the cell has computed without ops while it was recorded, such as random numbers that it drew with NumPy,
        is a constant and stays as it was: ``difference`` tells of such a cell, if its steps drew different numbers.
        What is to be new comes in with `x`.

        Parameters
        ----------
        x, d : array_like, optional
            New inputs and targets, of the shapes and dtype of the old ones.
        mask : array_like, (T, B), optional
            Which samples have which steps of the new data, if the network was unfolded with a mask.
        s0 : array_like, (B, m), or tuple of these, optional
            A new initial state, in the cell's structure; None stands for a part that stays as it is.
        weights : array_like, (T, B), optional
            New weights of the costs, if the network was unfolded with some; they stay as they are if none are given.

        Returns
        -------
        float
            The cost.

        Raises
        ------
        ShapeError
            If a shape or a dtype differs; nothing is changed then.
        ValueError
            If a mask is given to a network without one, or without new data or new weights where it has some; if
            weights are given to a network without; if numbers are given to a part of the initial state that is a
            parameter; nothing is changed then.
        TapeError
            If `finite` is set and a number is not; or if the cell has looked at a number, which may be another one now.
        """
        new, data, start = self._fitting_all(x, d, mask, s0, weights)
        looked = self.tape.looked
        if looked is not None and (data or start or self.stale):
            raise TapeError(
                f"replay: the cell looked at the value of {looked} while it was recorded, and what it made of that "
                "would stay as it was. Compute it with ops (ops.where chooses), or unfold again; "
                "tinygrad_rnn.Network does"
            )
        if self._executor is not None:
            loss = float(self._executor.play(new, data, start))
            self._refuse_bad()
            return loss
        given: dict[Node, Any] = {leaf: new[name] for name, leaf in self.weights.items()} | start
        for what, whole in data.items():
            given.update(zip(self._data[what], whole, strict=True))
        with collector_at_rest():
            for _ in self.tape.begin(given).play(self.tape.nodes):
                pass
        self._refuse_bad()
        return self.loss

    @asked_if_it_fails
    def follow(self, before: Unfolded, x: Any, d: Any) -> float:
        """Move on along a stream: this network's last steps are new, those before them stay as they were computed.

        They stand at the end of `before`, which may be this very network, and were computed with the parameters
        as they were then; the new ones are computed with the parameters as they are now. So is what is not kept of the
        old ones, such as a net input, when somebody asks for it: unfold with ``keep="all"`` to see it as it was.

        Parameters
        ----------
        before : Unfolded
            A network unfolded from the same cell over steps up to the newest, replayed or moved on already.
        x, d : array_like, (new steps, B, l) and (new steps, B, o)
            Inputs and targets of the new steps.

        Returns
        -------
        float
            The cost.

        Raises
        ------
        ShapeError
            If a shape or a dtype differs; nothing is changed then.
        ValueError
            If `before` has too few steps, or one of the two networks has no plan: see ``schedule``.
        """
        newest = {what: as_array(given, what) for what, given in self._time_first(x=x, d=d).items()}
        if newest["x"].ndim != 3:
            raise ShapeError(f"follow: x is {newest['x'].shape}: it must be (new steps, B, l)")
        n_new = len(newest["x"])
        kept = self.T - n_new
        if not self.schedule:
            self._make_plan()
        executor, old = self._executor, before._executor
        fixed = len(self._data) > 2 or any(self.trained)
        if executor is None or old is None or old.values is None or fixed or not 0 <= kept <= before.T:
            raise ValueError(
                f"a network over {self.T} steps of which {n_new} are new cannot follow {before}: it must have the "
                f"{kept} steps before them and have been replayed, and both must have a plan (see schedule), no mask, "
                "no weights and no initial state that is trained"
            )
        new, _, _ = self._fitting_all()
        data = {
            what: fitting(what, given, (n_new, *self._data[what][0].shape), self._dtype)
            for what, given in newest.items()
        }
        executor.play(new, data, executor.take_over(old, kept), newest=n_new)
        self._refuse_bad()
        return self.loss

    @asked_if_it_fails
    def carry(self, x: Any = None, *, s0: Any = None) -> Any:
        """Carry the state over new inputs: the forward pass, but for what no later state depends on.

        It is shorter than `replay`. No output and no cost is there afterwards, and nobody can go back through it.

        Parameters
        ----------
        x, s0
            As for `replay`.

        Returns
        -------
        ndarray or tuple
            s(T), see `last_state`.

        Raises
        ------
        ShapeError, ValueError, TapeError
            See `replay`.
        """
        new, data, start = self._fitting_all(x, s0=s0)
        if self._executor is None:
            self.replay(x, s0=s0)
        else:
            self._executor.play(new, data, start, states_only=True)
        return self.last_state

    def _fitting_all(
        self, x: Any = None, d: Any = None, mask: Any = None, s0: Any = None, weights: Any = None
    ) -> tuple[dict[str, Array], dict[str, Array], Any]:
        """The weights, data and parts of the initial state for a pass, all checked before any is changed; a plan."""
        new = fitting_weights(self._shapes, self.params, self._dtype)
        given = self._time_first(x=x, d=d, mask=mask, weights=weights)
        data = fitting_data(self._data_shapes, self.masks, self._paying, self._dtype, **given)
        start = {} if s0 is None else fitting_state(self.states[0], s0, self._dtype)
        if len(self.tape) > self._size:
            self._executor = None
            self._no_plan("more was recorded on the tape after the network")
        elif not self.schedule:
            self._make_plan()
        return new, data, start

    def _time_first(self, **given: Any) -> dict[str, Any]:
        return {what: samples_first(each, what) for what, each in given.items()} if self._batch_first else given

    def _compile_anew(self) -> None:
        """Compile another program at the next replay."""
        self._executor, self.schedule = None, ""

    def _make_plan(self) -> None:
        """Lay the network out for replays, if its steps are all alike; say why not otherwise."""
        folded = self._folded()
        self._difference = folded if isinstance(folded, Different) else None
        if isinstance(folded, Different) or folded.obstacle():
            self._no_plan(str(folded) if isinstance(folded, Different) else folded.obstacle())
            return
        program = Program(folded, self.T, self.trained, keep_all=self.keep == "all")
        if self._cuts and not program.can_be_cut:
            apart = [each for each in PASSES if each is not join_products]
            program = Program(folded, self.T, self.trained, keep_all=self.keep == "all", passes=apart)
        parts = [flatten(state) for state in self.states]
        states = [part for state in parts for part in state]
        self._executor = Executor(
            program, self._size, self.cost, self.weights, self._data, parts[0], states, self._recipe.initial
        )
        self.schedule = "\n\n".join(program.source) or "no loop: nothing waits for the step before it"

    def _no_plan(self, why: str) -> None:
        self._obstacle = why
        self.schedule = f"no plan, every node is played by itself: {why}"

    @property
    def difference(self) -> Different | None:
        """Why the time steps are not copies of one step; None if they are.

        Who plays the network at another place of a sequence than where it was recorded asks this first: a cell that
        counts its calls or draws numbers does something else there. To answer it, the cell is called once more.
        """
        if self._difference == "not asked":
            folded = self._folded()
            self._difference = folded if isinstance(folded, Different) else None
        return self._difference

    @property
    def obstacle(self) -> str:
        """Why a replay plays every node by itself; empty if it follows a ``schedule`` that was compiled for it."""
        if not self.schedule:
            self._make_plan()
        return self._obstacle

    @property
    def trained(self) -> list[str]:
        """For each part of the state, the parameter that it starts from; empty where it starts from an array."""
        return [s.parents[0].name if s.parents else "" for s in flatten(self.states[0])]

    def _folded(self, watch: bool = False) -> Folded | Different:
        """One time step and its backward pass, or why it is not every step's."""
        return fold_all(self._recipe, self._steps, self.weights, self.states[0], self._size, watch)

    def _fold(self) -> Folded:
        folded = self._folded()
        if isinstance(folded, Different):
            raise ValueError(f"this network cannot be folded: {folded}")
        return folded

    def stacked(self) -> tuple[Folded, Callable[[Node], Array]]:
        """One time step with its backward pass, and what gives the values that its nodes have at all times.

        Returns
        -------
        folded : Folded
            The step, as it is recorded for `fold`.
        values : callable
            Given a node of the step's forward pass, its copies' values (T, ...), or its one value where that is
            the same at every time. They are those of the last forward pass, and change with the next.

        Raises
        ------
        ValueError
            If the time steps are not copies of one step.
        TapeError
            If the forward pass was left before its end.
        """
        self._need_forward()
        if self._executor is not None and self._executor.values is not None:
            return self._executor.program.recorded, self._executor.program.values
        folded = self._fold()
        columns: list[list[Node]] = [[] for _ in range(self.T)]
        for node in self.tape.nodes[: self._size]:
            if node.t:
                columns[node.t - 1].append(node)
        before = {b.index: k for k, b in enumerate(folded.before)}

        def values(node: Node) -> Array:
            if node in folded.invariant:
                return node.value
            if node.index in before:
                return np.stack([flatten(s)[before[node.index]].value for s in self.states[:-1]])
            return np.stack([column[node.index - folded.first].value for column in columns])

        return folded, values

    def source_lines(self) -> dict[int, SourceLine]:
        """The line of a cell or a loss that records each node of a time step, by the node's role.

        The cell is called once more to find them, so that recording pays nothing for it. Empty if the time steps are
        not copies of one step.
        """
        watched = self._folded(watch=True)
        return {} if isinstance(watched, Different) or not isinstance(watched.tape, Recording) else watched.tape.source

    def fold(self) -> nx.MultiDiGraph[Any]:
        """The cell's own graph: the copies of each node merged into one, edges with the attribute ``delay``.

        Raises
        ------
        ValueError
            If the time steps are not copies of one step.
        """
        return self._fold().graph()

    @asked_if_it_fails
    def written(self) -> str:
        """The network written out: a file of NumPy with the loop forwards and the loop backwards, to be read.

        It is an account of the network, checked against it, and not what computes anything here. Run by itself, it
        compares its gradients with slopes that it measures. Its ``bptt`` takes the data, the initial state and the
        weights, of this network's sizes, and returns the cost, the gradients and those of the copies. Names that Python
        does not take are changed, and the file says so.

        Raises
        ------
        ValueError
            If the time steps are not copies of one step, or the network is cut.
        TapeError
            If an op says no line of NumPy.
        """
        if self._cuts:
            raise ValueError(
                f"written: the network is cut before t={', '.join(map(str, self.cuts))}, and it is the whole backward "
                "pass that is written out. Mend it first, with tinygrad_rnn.cut(net)"
            )
        data = {what: np.stack([leaf.value for leaf in leaves]) for what, leaves in self._data.items()}
        return written(self._fold(), data, flatten(self.states[0]))

    @asked_if_it_fails
    def derivation(self) -> Derivation:
        """The derivation of the cell: what it computes, what comes back to each quantity, and the gradients.

        Raises
        ------
        ValueError
            If the time steps are not copies of one step.
        """
        return derivation(self._fold(), flatten(self.states[0]))

    def graph(self) -> nx.MultiDiGraph[Any]:
        """The tape as a frozen networkx graph, see `tinygrad_rnn.unfold.graph`."""
        return graph(self.tape)


def uncut(cuts: Collection[int]) -> Callable[[Node, int], bool]:
    """What cuts before these time steps let pass: all but what a node of such a step would hand to an earlier one."""

    def through(node: Node, slot: int) -> bool:
        return node.t not in cuts or node.parents[slot].t in (None, node.t)

    return through
