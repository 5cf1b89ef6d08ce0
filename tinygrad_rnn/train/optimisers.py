"""Optimisers: how far each weight moves, given the gradient. They change the arrays of the parameters in place."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from ..autodiff.asked import asked_if_it_fails
from .validation import Array, above_zero, either, gradient, mapping, not_negative, share

Past = Mapping[str, Array]


class Optimiser(ABC):
    """What all optimisers have in common: one step changes every parameter that has a gradient, in place.

    Attributes
    ----------
    remembers : tuple of str
        What it keeps of each parameter from step to step: arrays of the parameter's shape, and ``"t"``, the number of
        steps.
    """

    remembers: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._past: dict[str, dict[str, Array]] = {}  # by parameter, then by what is remembered

    @abstractmethod
    def change(self, w: Array, g: Array, past: Past) -> tuple[Array, dict[str, Array]]:
        """What is added to a parameter, and what is remembered of it. Nothing that is given is changed.

        Parameters
        ----------
        w, g : ndarray
            The parameter and its gradient.
        past : mapping of str to ndarray
            What was remembered of it; empty before its first step.

        Returns
        -------
        change : ndarray
            What is added to `w`.
        past : dict of str to ndarray
            What takes the place of `past`.
        """

    @asked_if_it_fails
    def step(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        """Move every parameter once, or, if anything stands in the way, none.

        Parameters
        ----------
        params : mapping of str to ndarray
            The parameters; their arrays are changed in place.
        grads : mapping of str to ndarray
            dC / d parameter by name. A parameter without one stays as it is.

        Raises
        ------
        ValueError
            If a gradient belongs to no parameter, has another shape or is no array of finite floats, if a parameter is
            no array that can be changed, or if the step is too large for its numbers; nothing is changed then.
        TypeError
            If `params` or `grads` have no names.
        """
        mapping("params", params)
        mapping("grads", grads)
        if isinstance(params, MappingProxyType):
            raise TypeError("params is read-only, as net.grads is: step takes the parameters first, then the gradients")
        if params and not grads:
            raise ValueError("grads is empty: it must be dC / d parameter by name, such as net.grads")
        moved = {name: self._fitting(name, params, grads[name]) for name in grads}
        # Whatever comes in between, an error or Ctrl-C, leaves all as it was: the old is put back if not all of it has
        # been replaced. One by one, so that what is worked out for one is still at hand where it is added.
        before, past, name = dict[str, Array](), self._past, ""
        try:
            with np.errstate(over="raise", invalid="raise", divide="raise"):
                now = dict(past)
                for name, (w, g) in moved.items():
                    change, now[name] = self.change(w, g, past.get(name, {}))
                    before[name] = w.copy()
                    np.add(w, change, out=w)
                self._past = now
        except BaseException as error:
            for other, old in before.items():
                moved[other][0][...] = old
            self._past = past
            if isinstance(error, FloatingPointError):
                raise ValueError(
                    f"the step of {name} is not finite ({error}), and nothing was changed; clip the gradients, or "
                    "take a smaller eta"
                ) from None
            raise

    def state(self) -> dict[str, Array]:
        """All that it remembers, to be kept beside the parameters.

        Returns
        -------
        dict of str to ndarray
            For each parameter that was moved, in the order in which it first was, what `remembers` names: ``"m/U"`` is
            the ``m`` of ``U``. Settings such as eta are not part of it.
        """
        return {f"{what}/{name}": self._past[name][what].copy() for name in self._past for what in self.remembers}

    @asked_if_it_fails
    def restore(self, state: Mapping[str, Array]) -> None:
        """Go on from a `state` as if there had been no break, bit by bit.

        Parameters
        ----------
        state : mapping of str to ndarray
            What `state` has given, of an optimiser of the same class; its arrays are copied.

        Raises
        ------
        ValueError
            If it is another optimiser's, is not complete, or holds what cannot have been remembered; what was
            remembered stays then.
        TypeError
            If it has no names.
        """
        mapping("state", state)
        whose = type(self).__name__
        past: dict[str, dict[str, Array]] = {}
        for key, value in state.items():
            what, slash, name = key.partition("/") if isinstance(key, str) else ("", "", "")
            if not slash or what not in self.remembers:
                known = ", ".join(f"{known}/..." for known in self.remembers) or "nothing"
                raise ValueError(f"state has {key!r}, and {whose} remembers {known}: it is another optimiser's")
            past.setdefault(name, {})[what] = _remembered(key, what, value)
        for name, kept in past.items():
            for what in self.remembers:
                if what not in kept:
                    raise ValueError(f"state has no {what + '/' + name!r} beside {next(iter(kept)) + '/' + name!r}")
            if len({value.shape for what, value in kept.items() if what != "t"}) > 1:
                raise ValueError(f"what state has of {name!r} is not of one shape")
        self._past = past

    def _fitting(self, name: str, params: Mapping[str, Array], g: Array) -> tuple[Array, Array]:
        """The parameter of this name and its gradient, once it is known that they fit."""
        if name not in params:
            raise ValueError(
                f"there is a gradient of {name!r}, but no such parameter; params has {', '.join(map(str, params))}"
            )
        w = params[name]
        if not isinstance(w, np.ndarray) or w.dtype.kind != "f" or not w.flags.writeable:
            raise ValueError(
                f"params[{name!r}] is changed in place, so it must be a writeable array of floats; copy it first"
            )
        g = gradient(name, g)
        if g.shape != w.shape:
            raise ValueError(f"the gradient of {name} is {g.shape} and the parameter is {w.shape}: they must agree")
        for what, value in self._past.get(name, {}).items():
            if what != "t" and value.shape != w.shape:
                raise ValueError(
                    f"what is remembered of {name} is {value.shape} and the parameter is {w.shape}: a state belongs to "
                    "the parameters that it was made with"
                )
        return np.asarray(w), g  # of a subclass such as a matrix, the array, whose operators are what they say


def _remembered(key: str, what: str, value: Array) -> Array:
    if not isinstance(value, np.ndarray):
        raise ValueError(f"state[{key!r}] is of type {type(value).__name__}: it must be an array")
    if what == "t":
        if value.dtype.kind not in "iu" or value.shape != () or value < 1:
            raise ValueError(f"state[{key!r}] is {value!r}: it must be one integer from 1 up, the number of steps")
        return np.array(value, dtype=np.int64)
    if value.dtype.kind != "f" or not np.isfinite(value).all():
        raise ValueError(f"state[{key!r}] must hold finite floats")
    if what in SQUARES and (value < 0).any():
        raise ValueError(f"state[{key!r}] is a mean or sum of squares: it must not be below 0")
    return np.array(value)


SQUARES = {"v", "squares"}


class SGD(Optimiser):
    """Gradient descent, ``w += -eta g``; with `mu`, ``w += -eta b`` and ``b = mu b + (1 - dampening) g``.

    Parameters
    ----------
    eta : float
        The step size.
    mu : float
        How much of the past `b` keeps, from 0 to below 1; it begins as the first gradient, which is not dampened.
    dampening : float
        How much less of each gradient goes into `b`, from 0 to below 1.
    nesterov : bool
        Whether the gradient's part looks one step ahead, ``w += -eta (g + mu b)``; without dampening only.
    weight_decay : float
        How much of the parameter is added to its gradient, ``g + weight_decay w``, which is the gradient of a cost with
        half of ``weight_decay |w|^2`` in it.

    Notes
    -----
    Source: Guo (2013), eq. (6); `torch.optim.SGD` for all that has a default. The size of a step of `Momentum` is part
    of its velocity, here it is not, which differs only when eta changes on the way.
    """

    @asked_if_it_fails
    def __init__(
        self,
        eta: float,
        *,
        mu: float = 0.0,
        dampening: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__()
        self.eta, self.mu, self.dampening = above_zero("eta", eta), share("mu", mu), share("dampening", dampening)
        self.nesterov, self.weight_decay = either("nesterov", nesterov), not_negative("weight_decay", weight_decay)
        self.remembers = ("b",) if mu else ()
        if dampening and not mu:
            raise ValueError(f"dampening={dampening!r}: there is nothing to dampen without mu; give mu above 0")
        if nesterov and (dampening or not mu):
            raise ValueError("nesterov=True: it must come with mu above 0 and without dampening")

    def change(self, w: Array, g: Array, past: Past) -> tuple[Array, dict[str, Array]]:
        """See `Optimiser`."""
        g = _decayed(w, g, self.weight_decay)
        if not self.mu:
            return np.asarray(-self.eta * g), {}
        b = self.mu * past["b"] + (1 - self.dampening) * g if past else np.array(g)
        return np.asarray(-self.eta * (g + self.mu * b if self.nesterov else b)), {"b": np.asarray(b)}


class Momentum(Optimiser):
    """Gradient descent with momentum, ``v = mu v - eta g``, ``w += v``: steps in one direction add up.

    Parameters
    ----------
    eta : float
        The step size.
    mu : float
        How much of the last step is kept, from 0 to below 1.
    nesterov : bool
        Whether the gradient's part looks one step ahead, ``w += mu v - eta g``.

    Notes
    -----
    Source: Sutskever, Martens, Dahl and Hinton (2013), "On the importance of initialization and momentum in deep
    learning", eqs. (1), (2); with `nesterov` the form of their eqs. (3), (4) in which the parameters are those that the
    gradient is taken at.
    """

    remembers = ("velocity",)

    @asked_if_it_fails
    def __init__(self, eta: float, mu: float = 0.9, nesterov: bool = False) -> None:
        super().__init__()
        self.eta, self.mu, self.nesterov = above_zero("eta", eta), share("mu", mu), either("nesterov", nesterov)

    def change(self, w: Array, g: Array, past: Past) -> tuple[Array, dict[str, Array]]:  # noqa: ARG002
        """See `Optimiser`."""
        v = np.asarray(self.mu * past.get("velocity", 0.0) - self.eta * g)
        return np.asarray(self.mu * v - self.eta * g) if self.nesterov else v, {"velocity": v}


class Nesterov(Momentum):
    """Nesterov's accelerated gradient: `Momentum` with ``nesterov=True``.

    Parameters
    ----------
    eta : float
        The step size.
    mu : float
        How much of the last step is kept, from 0 to below 1.
    """

    @asked_if_it_fails
    def __init__(self, eta: float, mu: float = 0.9) -> None:
        super().__init__(eta, mu, nesterov=True)


class Adagrad(Optimiser):
    """Steps that get smaller where gradients have been large: ``G = G + g^2``, ``w += -eta g / (sqrt(G) + epsilon)``.

    Parameters
    ----------
    eta : float
        The step size.
    epsilon : float
        Keeps the quotient finite where all gradients were zero.
    under_root : bool
        Whether epsilon is added under the root, ``sqrt(G + epsilon)``. For rare inputs, whose gradients are tiny, it
        makes another path: the losses of min-char-rnn part at the second update.

    Notes
    -----
    Source: Duchi, Hazan and Singer (2011), "Adaptive subgradient methods for online learning and stochastic
    optimization", figure 1, with epsilon outside the root as in `torch.optim.Adagrad`. Karpathy's min-char-rnn is
    ``Adagrad(0.1, epsilon=1e-8, under_root=True)``.
    """

    remembers = ("squares",)

    @asked_if_it_fails
    def __init__(self, eta: float = 0.01, *, epsilon: float = 1e-10, under_root: bool = False) -> None:
        super().__init__()
        self.eta, self.epsilon = above_zero("eta", eta), not_negative("epsilon", epsilon)
        self.under_root = either("under_root", under_root)

    def change(self, w: Array, g: Array, past: Past) -> tuple[Array, dict[str, Array]]:  # noqa: ARG002
        """See `Optimiser`."""
        squares = np.asarray(g * g)
        squares += past.get("squares", 0.0)
        return _divided(self.eta, g, squares, self.epsilon, self.under_root), {"squares": squares}


class RMSprop(Optimiser):
    """Steps divided by the root of a mean: ``v = rho v + (1 - rho) g^2``, ``w += -eta g / (sqrt(v) + epsilon)``.

    Parameters
    ----------
    eta : float
        The step size.
    rho : float
        How much of the past the mean keeps, from 0 to below 1; it begins at 0. PyTorch calls it alpha and takes 0.99.
    epsilon : float
        Keeps the quotient finite where all gradients were zero.
    under_root : bool
        Whether epsilon is added under the root, ``sqrt(v + epsilon)``.

    Notes
    -----
    Source: Tieleman and Hinton (2012), "Neural networks for machine learning", lecture 6.5, which has no epsilon;
    outside the root it is as in `torch.optim.RMSprop`.
    """

    remembers = ("v",)

    @asked_if_it_fails
    def __init__(
        self, eta: float = 0.001, *, rho: float = 0.9, epsilon: float = 1e-8, under_root: bool = False
    ) -> None:
        super().__init__()
        self.eta, self.rho = above_zero("eta", eta), share("rho", rho)
        self.epsilon, self.under_root = not_negative("epsilon", epsilon), either("under_root", under_root)

    def change(self, w: Array, g: Array, past: Past) -> tuple[Array, dict[str, Array]]:  # noqa: ARG002
        """See `Optimiser`."""
        v = np.asarray(self.rho * past.get("v", 0.0) + (1 - self.rho) * g**2)
        return _divided(self.eta, g, v, self.epsilon, self.under_root), {"v": v}


class Adam(Optimiser):
    """Steps of about `eta` in every entry, whatever the size of its gradient.

    ``m = beta_1 m + (1 - beta_1) g``, ``v = beta_2 v + (1 - beta_2) g^2``, and
    ``w += -eta m_hat / (sqrt(v_hat) + epsilon)``, where ``m_hat = m / (1 - beta_1^t)`` and
    ``v_hat = v / (1 - beta_2^t)`` after t steps.

    Parameters
    ----------
    eta : float
        The step size.
    beta_1, beta_2 : float
        How much of the past the means of g and of its square keep, from 0 to below 1.
    epsilon : float
        Keeps the quotient finite where all gradients were zero.
    weight_decay : float
        How much of the parameter is added to its gradient, ``g + weight_decay w``. `AdamW` takes it from the parameter.

    Notes
    -----
    Source: Kingma and Ba (2015), "Adam: a method for stochastic optimization", algorithm 1, where epsilon stands
    outside the root of the corrected mean.
    """

    remembers = ("t", "m", "v")

    @asked_if_it_fails
    def __init__(
        self,
        eta: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        *,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__()
        self.eta, self.epsilon = above_zero("eta", eta), not_negative("epsilon", epsilon)
        self.beta_1, self.beta_2 = share("beta_1", beta_1), share("beta_2", beta_2)
        self.weight_decay = not_negative("weight_decay", weight_decay)

    def change(self, w: Array, g: Array, past: Past) -> tuple[Array, dict[str, Array]]:
        """See `Optimiser`."""
        return self._adam(_decayed(w, g, self.weight_decay), past)

    def _adam(self, g: Array, past: Past) -> tuple[Array, dict[str, Array]]:
        steps = int(past["t"]) + 1 if past else 1
        m = self.beta_1 * past["m"] if past else np.zeros_like(g)
        v = self.beta_2 * past["v"] if past else np.zeros_like(g)
        # In place on what was just made: half of the memory that would be asked for goes.
        m += (1 - self.beta_1) * g
        v += (1 - self.beta_2) * g**2
        change, root = m / (1 - self.beta_1**steps), np.sqrt(v / (1 - self.beta_2**steps))
        root += self.epsilon
        change *= -self.eta
        change /= root
        return np.asarray(change), {"t": np.array(steps), "m": np.asarray(m), "v": np.asarray(v)}


class AdamW(Adam):
    """`Adam` with a weight decay of its own: ``w += -eta weight_decay w`` beside Adam's step, which does not feel it.

    Parameters
    ----------
    eta, beta_1, beta_2, epsilon : float
        As in `Adam`.
    weight_decay : float
        The share of the parameter, times eta, that each step takes away.

    Notes
    -----
    Source: Loshchilov and Hutter (2019), "Decoupled weight decay regularization", algorithm 2, with eta in front of the
    decay too, as in `torch.optim.AdamW`.
    """

    @asked_if_it_fails
    def __init__(
        self,
        eta: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        *,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(eta, beta_1, beta_2, epsilon, weight_decay=weight_decay)

    def change(self, w: Array, g: Array, past: Past) -> tuple[Array, dict[str, Array]]:
        """See `Optimiser`."""
        change, now = self._adam(g, past)
        return np.asarray(change - self.eta * self.weight_decay * w), now


def _decayed(w: Array, g: Array, weight_decay: float) -> Array:
    return g + weight_decay * w if weight_decay else g


def _divided(eta: float, g: Array, squares: Array, epsilon: float, under_root: bool) -> Array:
    """``-eta g / (sqrt(squares) + epsilon)``, or with epsilon under the root; in place on what was just made."""
    root = np.asarray(squares + epsilon) if under_root else np.sqrt(squares)
    if under_root:
        np.sqrt(root, out=root)
    else:
        root += epsilon
    change = np.asarray(-eta * g)
    change /= root
    return change
