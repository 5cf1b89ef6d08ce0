"""Unfolding: one copy of the network for each time step, all copies tied to one set of weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from ..autodiff import (
    BadNumber,
    CheckReport,
    Node,
    Place,
    Push,
    ShapeError,
    Tangents,
    Tape,
    TapeError,
    check_tape,
    first_bad,
    ops,
)
from ..autodiff.tape import collector_at_rest
from .fold import Folded, fold_step, steps_differ
from .graph import graph
from .lines import Watched
from .losses import known_loss
from .plan import Plan, read_only
from .recipe import Cell, Loss, Recipe, Recorded, as_mask, initial_state, masked_equations, same_dtype
from .steps import Step, walk
from .structure import flatten, outline, rebuild

Array = NDArray[Any]


class Gradients(Mapping[str, Array]):
    """Gradients by the weight's name; each is computed from its factors when it is first read."""

    def __init__(
        self, names: Sequence[str], read: Callable[[str], Array], tape: Tape, missing: Mapping[str, str] | None = None
    ) -> None:
        self._names = names
        self._missing = missing or {}
        self._read = read
        self._known: dict[str, Array] = {}
        self._tape = tape
        self._sweep = tape.sweeps

    def __getitem__(self, name: str) -> Array:
        if name not in self._known:
            if name in self._missing:
                raise KeyError(self._missing[name])
            if name not in self._names:
                raise KeyError(f"there is no parameter {name!r}; there are {', '.join(self._names)}")
            if not self.last:
                raise TapeError(
                    f"these gradients belong to an earlier backward pass, and that of {name} was not read while it "
                    "was the last one: ask the net again"
                )
            self._known[name] = self._read(name)
        return self._known[name]

    @property
    def last(self) -> bool:
        """Whether they belong to the last backward pass, and nothing has been played since."""
        return self._tape.sweeps == self._sweep and self._tape.swept is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"<gradients of {', '.join(self._names)}>"


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
    keep : str
        Which numbers of a replay keep a place, see `unfold`.
    finite : bool
        Whether `unfold`, `replay` and `backward` raise TapeError where a number is not finite, naming the
        first one; it can be switched at any time.
    schedule : str
        How a replay is played: the loops over the copies, or why there is no plan. Empty before the
        first replay.
    """

    def __init__(
        self,
        tape: Tape,
        params: Mapping[str, Array],
        weights: dict[str, Node],
        steps: Sequence[Recorded],
        s0: Any,
        cost: Node,
        recipe: Recipe,
    ) -> None:
        self.tape = tape
        self.params = params
        self.weights = weights
        self.inputs = tuple(step.x for step in steps)
        self.targets = tuple(step.d for step in steps)
        self.masks = tuple(step.mask for step in steps if step.mask is not None)
        self.states = (s0, *(step.state for step in steps))
        self.outputs = tuple(step.output for step in steps)
        self.losses = tuple(step.cost for step in steps)
        self.cost = cost
        self.counted = tuple(int(t) for t in np.flatnonzero(recipe.shares) + 1)
        self._steps = tuple(steps)
        self._recipe = recipe
        self._dtype = self.inputs[0].value.dtype
        self._size = len(tape)  # what is recorded on the tape later is not the network's own
        self._plan: Plan | None = None
        self._totals: dict[Node, Callable[[], Array]] = {}  # for the nodes that have no row in the plan
        self.schedule = ""
        self.keep = "needed"
        self.finite = False
        self._grads: Gradients | None = None  # of the last backward pass, once they are asked for
        self._copies: Gradients | None = None
        self._no_copies = {
            name: f"the parameter {name!r} is an initial state: it is read once, before the first step, and has "
            f"no copies in time; grads[{name!r}] is its gradient"
            for name in recipe.initial
        }
        self._names = tuple(weights)
        self._copied = tuple(name for name in weights if name not in recipe.initial)
        self._later_at = 0  # the number of the last backward pass that had error from beyond the last step

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
    def cuts(self) -> tuple[int, ...]:
        """The time steps that hand no error to the step before them, see `tinygrad_rnn.cut`."""
        return tuple(sorted(self.tape.cuts))

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
        """
        if of is not None and later is not None:
            raise ValueError(f"backward: of={of} starts from one cost alone, and later= comes from beyond: pass one")
        errors = None if later is None else self._fitting_errors(later)
        plan = self._plan
        planned = plan is not None and self.tape.rows is plan and self.tape.waiting is None and not self.tape.cuts
        if of is None and plan is not None and planned and (errors is None or plan.later_apart):
            plan.backward(errors)
            self.tape.received(self.cost, self._totals)
        else:
            besides: dict[Node, Array] = {}
            for part, error in zip(flatten(self.states[-1]), errors or [], strict=bool(errors)):
                if part.active:
                    besides[part] = besides[part] + error if part in besides else error
            self.tape.backward(self._root(of), besides=besides)
        self._later_at = self.tape.sweeps if errors else 0
        self._refuse_bad()

    def _fitting_errors(self, later: Any) -> list[Array]:
        """What comes back to the parts of the last state, checked."""
        if outline(later) != outline(self.states[-1]):
            raise ShapeError(f"backward: later is {outline(later)}, and the state is {outline(self.states[-1])}")
        errors = []
        for part, given in zip(flatten(self.states[-1]), flatten(later), strict=True):
            error = np.asarray(given, self.cost.value.dtype)
            if error.shape != part.shape:
                raise ShapeError(f"backward: later is {error.shape} for {part}, which is {part.shape}: they must agree")
            errors.append(error)
        return errors

    def first_bad(self) -> BadNumber | None:
        """The first number that is not finite, or None: values in the order of the tape, then what came back.

        Whether it came in from outside or which op has made it, out of which finite numbers, is what it
        prints. Set `finite` to be told at once.
        """
        plan, tape = self._plan, self.tape
        if plan is not None and tape.rows is plan and (tape.swept is None or tape.error_rows is plan):
            with np.errstate(all="ignore"):
                if plan.finite(errors=tape.swept is not None):  # a look at whole buffers is cheap
                    return None
        return first_bad(tape)

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

    def pushforward(self, tangents: Mapping[str | Node, Any], at: int | None = None) -> Iterator[Push]:
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

    def tangents(self, tangents: Mapping[str | Node, Any], at: int | None = None) -> Tangents:
        """What a disturbance does to every node in the end, see `pushforward`: ``tangents(...)[net.cost]`` is dC."""
        return self.tape.tangents(self._disturbed(tangents, at))

    def _disturbed(self, tangents: Mapping[str | Node, Any], at: int | None) -> dict[Node, Any]:
        nodes = self.weights if at is None else self._steps[self._time_step("at", at) - 1].copies
        disturbed: dict[Node, Any] = {}
        for who, tangent in tangents.items():
            if isinstance(who, str) and who not in self.weights:
                raise KeyError(f"there is no parameter {who!r}; there are {', '.join(self.weights)}")
            node = who if isinstance(who, Node) else nodes.get(who)
            if node is not None:  # a weight that this time step does not read has no copy there
                disturbed[node] = tangent
        return disturbed

    def check(self, rng: int | np.random.Generator | None = 0) -> CheckReport:
        """Check every derivative of the network numerically, at the very values it has now; it stays as it is.

        Every op's value, vjp and jvp; the cotangent of every node against what disturbing that node does to
        the cost; the gradient of every copy of a weight, disturbed alone as if it were not tied; and the
        gradient of every weight. Where a network has very many nodes, some are drawn.

        If a backward pass was run, what it has brought is checked, be it by the tape or by the plan.

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
        if self._later_at and self._later_at == self.tape.sweeps:
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

        return check_tape(self.tape, self.tape.swept or self.cost, rng, kind)

    @property
    def grads(self) -> Mapping[str, Array]:
        """dC / d weight by name: the sum of the gradients of the weight's copies."""
        if self._grads is None or not self._grads.last:
            self._refuse_unswept()
            self._grads = Gradients(self._names, self._of_weight, self.tape)
        return self._grads

    @property
    def copies(self) -> Mapping[str, Array]:
        """dC / d copy by name, (T, ...): entry t - 1 is the gradient of the copy of time step t."""
        if self._copies is None or not self._copies.last:
            self._refuse_unswept()
            self._copies = Gradients(self._copied, self._of_copies, self.tape, self._no_copies)
        return self._copies

    def _refuse_unswept(self) -> None:
        if self.tape.swept is None:
            raise TapeError("there are no gradients yet: call backward() first, or let the steps run to their end")

    def _of_weight(self, name: str) -> Array:
        if self._plan is not None and self.tape.error_rows is self._plan:
            return self._plan.totals[name]()
        return cotangent(self.weights[name])

    def _of_copies(self, name: str) -> Array:
        whole = self.weights[name].value
        whole = whole[0] if self._recipe.untied else whole
        each = [step.copies[name].cotangent if name in step.copies else None for step in self._steps]
        return np.stack([np.zeros_like(whole) if g is None else np.asarray(g) for g in each])

    def steps(self, of: int | None = None) -> Iterator[Step]:
        """Run the forward and then the backward pass, yielding each step as it happens.

        The same passes that `replay` and `backward` run to their end.
        """
        return walk(self.tape, self._root(of))

    def replay(self, x: Any = None, d: Any = None, *, mask: Any = None, s0: Any = None) -> float:
        """Run the forward pass again, on new data if some is given, with the parameters as they are now.

        Parameters
        ----------
        x, d : array_like, optional
            New inputs and targets, of the shapes and dtype of the old ones.
        mask : array_like, (T, B), optional
            Which samples have which steps of the new data, if the network was unfolded with a mask.
        s0 : array_like, (B, m), or tuple of these, optional
            A new initial state, in the cell's structure; None stands for a part that stays as it is.

        Returns
        -------
        float
            The cost.

        Raises
        ------
        ShapeError
            If a shape or a dtype differs; nothing is changed then.
        ValueError
            If a mask is given to a network without one, or without new data, or numbers to a part of the initial
            state that is a parameter; nothing is changed then.
        TapeError
            If `finite` is set and a number is not.
        """
        new, data, start = self._fitting_all(x, d, mask, s0)
        if self._plan is not None:
            self._play(self._plan, new, data, start)
            self._refuse_bad()
            return self.loss
        for leaf, value in [*((leaf, new[name]) for name, leaf in self.weights.items()), *start.items()]:
            self.tape.set(leaf, value)
        for what, leaves in self._data.items():
            if what in data:
                for leaf, value in zip(leaves, data[what], strict=True):
                    self.tape.set(leaf, value)
        for _ in self.tape.play():
            pass
        self._refuse_bad()
        return self.loss

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
        kept = self.T - len(x)
        if not self.schedule:
            self._make_plan()
        plan, old = self._plan, before._plan
        given = self.masks or any(self.trained)
        if (
            plan is None
            or old is None
            or before.tape.rows is not old
            or given
            or not before.tape.computed(before.cost)
            or not 0 <= kept <= before.T
        ):
            raise ValueError(
                f"a network over {self.T} steps of which {len(x)} are new cannot follow {before}: it must have the "
                f"{kept} steps before them and have been replayed, and both must have a plan (see schedule), no mask "
                "and no initial state that is trained"
            )
        new, _, _ = self._fitting_all(None, None, None, None)
        data = {}
        for what, given, leaves in (("x", x, self.inputs), ("d", d, self.targets)):
            data[what] = _fitting(what, given, (len(x), *leaves[0].shape), self._dtype)
        plan.take_over(old, kept)
        start = {s: plan.value(k, 0).copy() for k, s in enumerate(flatten(self.states[0]))}
        self._play(plan, new, data, start, newest=len(x))
        self._refuse_bad()
        return self.loss

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
        new, data, start = self._fitting_all(x, None, None, s0)
        if self._plan is None:
            self.replay(x, s0=s0)
        else:
            self._play(self._plan, new, data, start, states_only=True)
        return self.last_state

    def _fitting_all(self, x: Any, d: Any, mask: Any, s0: Any) -> tuple[dict[str, Array], dict[str, Array], Any]:
        """The weights, data and parts of the initial state for a pass, all checked before any is changed; a plan."""
        for name in self.weights:
            if name not in self.params:
                raise KeyError(f"replay: the parameter {name!r} is gone from params; put it back or unfold again")
        new = {name: _fitting(name, self.params[name], leaf.shape, self._dtype) for name, leaf in self.weights.items()}
        data = self._fitting_data(x, d, mask)
        start = {} if s0 is None else self._fitting_state(s0)
        if len(self.tape) > self._size:
            self._plan = None
            self.schedule = "no plan, every node is played by itself: more was recorded on the tape after the network"
        elif not self.schedule:
            self._make_plan()
        return new, data, start

    @property
    def _data(self) -> dict[str, tuple[Node, ...]]:
        return {"x": self.inputs, "d": self.targets, "mask": self.masks}

    def _fitting_data(self, x: Any, d: Any, mask: Any) -> dict[str, Array]:
        """The data that a replay was given, checked, with zeros where a sample is over."""
        data = {}
        if x is not None:
            data["x"] = _fitting("x", x, (self.T, *self.inputs[0].shape), self._dtype)
        if d is not None:
            data["d"] = _fitting("d", d, (self.T, *self.targets[0].shape), self._dtype)
        if mask is not None and not self.masks:
            raise ValueError("replay: the network was unfolded without a mask; unfold again, with one")
        if mask is not None and len(data) < 2:
            raise ValueError("replay: a new mask belongs to new data: pass x and d with it")
        if self.masks:
            like = self.inputs[0]
            if mask is None:
                present = np.stack([m.value for m in self.masks])
            else:
                present = as_mask(mask, (self.T, like.shape[0]), like.value.dtype)
            data = {what: without_padding(array, present) for what, array in data.items()}
            if mask is not None:
                data["mask"] = present
        return data

    def _fitting_state(self, s0: Any) -> dict[Node, Array]:
        """The parts of the initial state that a replay was given, checked."""
        parts = flatten(self.states[0])
        if outline(s0) != outline(self.states[0]):
            raise ShapeError(f"replay: s0 is {outline(s0)}, and the state is {outline(self.states[0])}")
        found = {}
        for k, (part, given) in enumerate(zip(parts, flatten(s0), strict=True)):
            if given is None:
                continue
            if part.parents:
                name = part.parents[0].name
                raise ValueError(
                    f"replay: this initial state is the parameter {name!r}, which is trained: change params[{name!r}], "
                    "or pass None for this part of s0"
                )
            found[part] = np.array(_fitting(f"s0[{k}]" if len(parts) > 1 else "s0", given, part.shape, self._dtype))
        return found

    def _make_plan(self) -> None:
        """Lay the network out for replays, if its steps are all alike; say why not otherwise."""
        folded = self._folded()
        different = folded if isinstance(folded, str) else folded.obstacle()
        if isinstance(folded, str) or different:
            self.schedule = f"no plan, every node is played by itself: {different}"
            return
        self._plan = Plan(folded, self.T, self.trained, keep_all=self.keep == "all")
        self._totals = {self.weights[name]: total for name, total in self._plan.totals.items()}
        self._totals[self.cost] = partial(np.ones, (), self._plan.dtype)  # its value would compute every node
        if self.cost.op is ops.multiply:
            summed, weight = self.cost.parents
            self._totals[summed] = weight.value.copy
        self.schedule = "\n\n".join(self._plan.source) or "no loop: nothing waits for the step before it"

    @property
    def trained(self) -> list[str]:
        """For each part of the state, the parameter that it starts from; empty where it starts from an array."""
        return [s.parents[0].name if s.parents else "" for s in flatten(self.states[0])]

    def _folded(self, on: Callable[..., Tape] = Tape) -> Folded | str:
        """One time step and its backward pass, or in words why it is not every step's."""
        different = steps_differ(self.tape, self._size, self._steps)
        if different:
            return different
        first = self._steps[0]
        folded = fold_step(
            self._recipe,
            {name: leaf.value for name, leaf in self.weights.items() if name not in self._recipe.initial},
            # Copies: a view of one row would keep the data of all steps.
            (first.x.value.copy(), first.d.value.copy(), None if first.mask is None else first.mask.value),
            rebuild(self.states[0], [s.value for s in flatten(self.states[0])]),
            self.tape.equations,
            on,
        )
        step = [n.op for n in self.tape.nodes[: self._size] if n.t == 1]
        if step != [n.op for n in folded.tape.nodes[folded.first : folded.size]]:
            return "the cell computed something else when it was called again"
        return folded

    def _fold(self) -> Folded:
        folded = self._folded()
        if isinstance(folded, str):
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
        if self._plan is not None and self.tape.rows is self._plan:
            return self._plan.folded, self._plan.values
        folded = self._fold()
        columns: list[list[Node]] = [[] for _ in range(self.T)]
        for node in self.tape.nodes[: self._size]:
            if node.t:
                columns[node.t - 1].append(node)
        before = {b.index: k for k, b in enumerate(folded.before)}
        timeless = folded.timeless()

        def values(node: Node) -> Array:
            if node.index in timeless:
                return node.value
            if node.index in before:
                return np.stack([flatten(s)[before[node.index]].value for s in self.states[:-1]])
            return np.stack([column[node.index - folded.first].value for column in columns])

        return folded, values

    def source_lines(self) -> dict[int, Place]:
        """The line of a cell or a loss that records each node of a time step, by the node's role.

        The cell is called once more to find them, so that recording pays nothing for it. Empty if the time steps are
        not copies of one step.
        """
        watched = self._folded(on=Watched)
        return {} if isinstance(watched, str) or not isinstance(watched.tape, Watched) else watched.tape.places

    def fold(self) -> nx.MultiDiGraph[Any]:
        """The cell's own graph: the copies of each node merged into one, edges with the attribute ``delay``.

        Raises
        ------
        ValueError
            If the time steps are not copies of one step.
        """
        return self._fold().graph()

    def _play(
        self,
        plan: Plan,
        new: Mapping[str, Array],
        data: Mapping[str, Array],
        start: Mapping[Node, Array],
        states_only: bool = False,
        newest: int | None = None,
    ) -> None:
        """Replay with the plan: hand it what is new, play, and let the nodes look at the buffers' rows."""
        folded = plan.folded
        for name, stack in plan.weights.items():
            stack[...] = new[name]
        for what, stack in plan.data.items():
            if what not in data and self.tape.rows is not plan:  # a leaf may have been set since
                for row, leaf in zip(stack, self._data[what], strict=True):
                    row[...] = leaf.value
        for row, s in zip(plan.start, flatten(self.states[0]), strict=True):
            row[...] = new[s.parents[0].name] if s.parents else start.get(s, s.value)
        others = [(s, read_only(value)) for s, value in start.items()]
        others += [(self.weights[name], read_only(new[name].copy())) for name in self._recipe.initial]
        if self.tape.rows is not plan:
            others += [(self.weights[name], plan.shared(name)) for name in folded.weights]
        if states_only:
            plan.carry(data)
            self.tape.played_by(plan, others, complete=False)
            return
        total = plan.forward(data, newest)
        if self.cost.op is ops.multiply:  # by 1/T
            summed, weight = self.cost.parents
            others.append((summed, np.asarray(total)))
            total = total * weight.value
        self.tape.played_by(plan, [*others, (self.cost, np.asarray(total))])

    def graph(self) -> nx.MultiDiGraph[Any]:
        """The tape as a frozen networkx graph, see `tinygrad_rnn.unfold.graph`."""
        return graph(self.tape)


def _fitting(what: str, given: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    """New numbers for a replay, as an array of the shape and dtype that the network was unfolded with."""
    array = given if type(given) is np.ndarray else np.asarray(given)
    if array.shape != shape or array.dtype != dtype:
        raise ShapeError(
            f"replay: {what} is {array.shape} {array.dtype}, and the network was unfolded over {shape} {dtype}. "
            "For another shape, unfold again."
        )
    return array


def without_padding(array: Array, present: Array) -> Array:
    """Zeros where a sample is over, whatever stood there."""
    return np.where(present, array, np.zeros((), array.dtype))


def cotangent(node: Node) -> Array:
    """dC / d node as an array of its own; zeros if no error came.

    Raises
    ------
    TapeError
        If there was no complete backward pass.
    """
    if node.tape.swept is None:
        raise TapeError(f"{node} has no error yet: call backward() first, or let the steps run to their end")
    g = node.cotangent
    return np.zeros_like(node.value) if g is None else np.array(g)


def delta(node: Node) -> Array:
    """Guo's error delta = -dC / d node: the negative of the cotangent, Guo (2013), section 2.1.

    Parameters
    ----------
    node : Node
        A node that a backward pass has reached, such as a net input.

    Returns
    -------
    ndarray
        Of the node's shape.
    """
    return -cotangent(node)


def unfold(
    cell: Cell,
    params: Mapping[str, Any],
    x: Any,
    d: Any,
    *,
    loss: str | Loss = "cross_entropy",
    reduction: str = "sum",
    s0: Any = None,
    mask: Any = None,
    losses: Iterable[int] | None = None,
    untied: bool = False,
    finite: bool = False,
    keep: str = "needed",
) -> Unfolded:
    """Unfold a recurrent network over a batch of sequences: one copy of the cell for each time step.

    Parameters
    ----------
    cell : callable
        ``cell(params, x, s) -> (s, y)``, see `tinygrad_rnn.unfold.cells`. The state s is a node, or a tuple of
        nodes or of such tuples; it comes out with the structure with which it goes in.
    params : mapping of str to ndarray
        The weights, by name.
    x : array_like, (T, B, l)
        The inputs ``x[t, p, i]``: time first, then samples.
    d : array_like, (T, B, o)
        The targets ``d[t, p, k]``.
    loss : {"cross_entropy", "squared_error"} or callable
        The cost of one time step, ``loss(y, d)``; it is summed over the samples. With a mask,
        ``loss(y, d, mask)``: the mask is a node (B, 1), and who is over must pay nothing.
    reduction : {"sum", "mean"}
        Whether the costs of the time steps are summed, as in Guo, or averaged: divided by T, also where some
        samples are over before; by the number of `losses`, if these are named.
    s0 : array_like, (B, m), or str, optional
        The initial state s(0); what the cell says, such as zeros, if none is given. A name means that parameter,
        of shape (m,), repeated over the samples: an initial state that is trained. For a cell whose state is a
        tuple, a tuple of these.
    mask : array_like, (T, B), optional
        For sequences of different lengths: 1 where sample p has a step t, 0 where it is over. Then its state is
        handed on as it is and it pays nothing; what stands there in x and d, even NaN, is not looked at.
    losses : iterable of int, optional
        The time steps whose costs count, from 1 to T, such as the newest ones of a window; all if none are named.
    untied : bool
        Whether each time step has weights of its own, as Guo's section 4 considers: every parameter but an initial
        state has an axis of length T in front, see `tinygrad_rnn.untie`. Time and memory grow with T squared.
    finite : bool
        Whether a NaN or an infinity that comes in or arises, now or later, is an error.
    keep : {"needed", "all"}
        What a replay keeps of each time step: the states, the factors of the gradients and what the backward pass
        reads; or every value and every cotangent, which takes more time and memory. What is not kept is computed
        again, from what is, when somebody asks for it.

    Returns
    -------
    Unfolded
        The network, its forward pass done.

    Raises
    ------
    ShapeError
        If arrays do not fit together.
    ValueError
        If `loss`, `reduction` or `keep` is unknown, if `s0` names no parameter, if a mask holds more than 0 and 1, or
        if `losses` names no time step.
    TapeError
        If `finite` is set and a number is not; the first one is named.

    Notes
    -----
    Source: Guo (2013), section 3 and Figure 2.
    """
    pays = known_loss(loss)
    check_reduction(reduction)
    if keep not in ("needed", "all"):
        raise ValueError(f"keep={keep!r}: a replay keeps what is 'needed', or 'all'; say which")
    x, d = sequences(x, d)
    x, d, present = np.array(x), np.array(d), None
    if mask is not None:
        present = as_mask(mask, x.shape[:2], x.dtype)
        x, d = without_padding(x, present), without_padding(d, present)
    s0 = initial_state(cell, params, s0, x.shape[1])
    equations = getattr(cell, "equations", {})
    tape = Tape(equations if mask is None else masked_equations(equations))
    weights = {name: tape.leaf(value, name) for name, value in params.items()}
    given = [s for s in flatten(s0) if not isinstance(s, str)]
    same_dtype(weights, {"x": x, "d": d} | {f"s0{f'[{k}]' if k else ''}": s for k, s in enumerate(given)})
    recipe = Recipe(
        cell,
        pays,
        _shares(len(x), losses, reduction),
        frozenset(s for s in flatten(s0) if isinstance(s, str)),
        untied,
    )
    for name, leaf in weights.items():
        if untied and name not in recipe.initial and leaf.shape[:1] != (len(x),):
            raise ShapeError(
                f"untied weights: {name} is {leaf.shape}, and must be ({len(x)}, ...), one weight for each time step; "
                f"untie(params, {len(x)}) makes them"
            )
    with tape.step(0):
        # Provisional names, for messages: a part of s(0) is called what the cell calls it one step later.
        names = [f"s[{k}]" for k in range(len(flatten(s0)))] if isinstance(s0, tuple) else ["s"]
        parts = zip(flatten(s0), names, strict=True)
        before = s0 = rebuild(s0, [_first(tape, weights, s, x.shape[1], name) for s, name in parts])
    steps: list[Recorded] = []
    of_steps = {name: leaf for name, leaf in weights.items() if name not in recipe.initial}
    with collector_at_rest():
        for t in range(1, len(x) + 1):
            now = x[t - 1], d[t - 1], None if present is None else present[t - 1]
            steps.append(recipe.record(tape, t, of_steps, now, before))
            before = steps[-1].state
    for first, later in zip(flatten(s0), flatten(steps[0].state), strict=True):
        first.name = later.name or first.name
    counted = [step.cost for step, share in zip(steps, recipe.shares, strict=True) if share]
    cost = ops.add(*counted, name="C" if reduction == "sum" else "C_sum")
    if reduction == "mean":
        name = "1/T" if len(counted) == len(x) else "share"
        cost = ops.multiply(cost, tape.leaf(np.full((), 1 / len(counted), x.dtype), name, active=False), name="C")
    net = Unfolded(tape, params, weights, steps, s0, cost, recipe)
    net.finite = finite
    net.keep = keep
    net._refuse_bad()
    return net


def _shares(T: int, losses: Iterable[int] | None, reduction: str) -> Array:
    """What each time step's cost weighs in the whole."""
    shares = np.zeros(T)
    for t in range(1, T + 1) if losses is None else losses:
        if isinstance(t, bool) or not isinstance(t, int | np.integer) or not 1 <= t <= T:
            raise ValueError(f"losses names {t!r}: it names time steps, integers from 1 to {T}")
        shares[t - 1] = 1
    if not shares.any():
        raise ValueError("losses is empty: name at least one time step whose cost counts")
    return shares if reduction == "sum" else shares / np.count_nonzero(shares)


def _first(tape: Tape, weights: Mapping[str, Node], s: Any, n_samples: int, name: str) -> Node:
    """A part of s(0): an array as it is, or a parameter repeated over the samples."""
    if not isinstance(s, str):
        return tape.leaf(s, name)
    row = weights[s]
    return ops.broadcast(row, source=row.shape, to=(n_samples, *row.shape), name=name)


def check_reduction(reduction: str) -> None:
    """Raise ValueError if it is not a way to combine the costs over time."""
    if reduction not in ("sum", "mean"):
        raise ValueError(f"reduction={reduction!r}: the costs over time are combined by 'sum' or by 'mean'; say which")


def sequences(x: Any, d: Any) -> tuple[Array, Array]:
    """Inputs and targets as arrays, checked: time first, as many time steps and samples, and at least one of each."""
    x, d = np.asarray(x), np.asarray(d)
    for name, array, last in (("x", x, "i"), ("d", d, "k")):
        if array.ndim != 3:
            hint = f" For a single sequence pass {name}[:, None, :]." if array.ndim == 2 else ""
            if name == "d" and array.dtype.kind in "iu":
                hint = " If d holds the numbers of classes, pass numpy.eye(number of classes)[d]."
            raise ShapeError(
                f"{name} is {array.shape}: {name}[t, p, {last}] has three axes, time, sample and unit.{hint}"
            )
    if x.shape[:2] != d.shape[:2]:
        raise ShapeError(
            f"x is {x.shape} and d is {d.shape}: x[t, p, i] and d[t, p, k] must agree on t and p, "
            f"{x.shape[:2]} is not {d.shape[:2]}."
        )
    if 0 in x.shape or 0 in d.shape:
        raise ShapeError(
            f"x is {x.shape} and d is {d.shape}: there must be at least one time step, one sample and one unit"
        )
    return x, d
