"""Optimisers: how far each weight moves, given the gradient. They change the arrays of the parameters in place."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Optimiser(ABC):
    """What all optimisers have in common: one step changes every parameter that has a gradient, in place."""

    @abstractmethod
    def change(self, name: str, g: Array) -> Array:
        """What is added to the parameter of this name, whose gradient is `g`."""

    def step(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        """Move every parameter once.

        Parameters
        ----------
        params : mapping of str to ndarray
            The parameters; their arrays are changed in place.
        grads : mapping of str to ndarray
            dC / d parameter by name. A parameter without one stays as it is.

        Raises
        ------
        ValueError
            If a gradient belongs to no parameter, has another shape or is not finite, or if a parameter is no
            array that can be changed; nothing is changed then.
        """
        for name in grads:
            _refuse_unfit(name, params, grads[name])
        for name in grads:
            params[name][...] += self.change(name, grads[name])


def _refuse_unfit(name: str, params: Mapping[str, Array], g: Array) -> None:
    if name not in params:
        raise ValueError(f"there is a gradient of {name!r}, but no such parameter; params has {', '.join(params)}")
    w = params[name]
    if not isinstance(w, np.ndarray) or w.dtype.kind != "f" or not w.flags.writeable:
        raise ValueError(
            f"params[{name!r}] is changed in place, so it must be a writeable array of floats; copy it first"
        )
    if np.shape(g) != w.shape:
        raise ValueError(f"the gradient of {name} is {np.shape(g)} and the parameter is {w.shape}: they must agree")
    if not np.isfinite(g).all():
        raise ValueError(f"the gradient of {name} is not finite; net.first_bad() says where that comes from")


class SGD(Optimiser):
    """Gradient descent, ``w += -eta g``.

    Parameters
    ----------
    eta : float
        The step size.

    Notes
    -----
    Source: Guo (2013), eq. (6).
    """

    def __init__(self, eta: float) -> None:
        self.eta = _above_zero("eta", eta)

    def change(self, name: str, g: Array) -> Array:  # noqa: ARG002  it has no memory, so it needs no name
        """See `Optimiser`."""
        return np.asarray(-self.eta * g)


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

    def __init__(self, eta: float, mu: float = 0.9, nesterov: bool = False) -> None:
        self.eta, self.mu, self.nesterov = _above_zero("eta", eta), _share("mu", mu), nesterov
        self._velocity: dict[str, Array] = {}

    def change(self, name: str, g: Array) -> Array:
        """See `Optimiser`."""
        v = self.mu * self._velocity.get(name, 0.0) - self.eta * g
        self._velocity[name] = np.asarray(v)
        return np.asarray(self.mu * v - self.eta * g) if self.nesterov else np.array(v)


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

    Notes
    -----
    Source: Kingma and Ba (2015), "Adam: a method for stochastic optimization", algorithm 1.
    """

    def __init__(self, eta: float = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8) -> None:
        self.eta, self.epsilon = _above_zero("eta", eta), epsilon
        self.beta_1, self.beta_2 = _share("beta_1", beta_1), _share("beta_2", beta_2)
        self._means: dict[str, tuple[int, Array, Array]] = {}  # each parameter's number of steps, m and v

    def change(self, name: str, g: Array) -> Array:
        """See `Optimiser`."""
        t, m, v = self._means.get(name, (0, np.zeros_like(g), np.zeros_like(g)))
        t, m, v = t + 1, self.beta_1 * m + (1 - self.beta_1) * g, self.beta_2 * v + (1 - self.beta_2) * g**2
        self._means[name] = t, m, v
        m_hat, v_hat = m / (1 - self.beta_1**t), v / (1 - self.beta_2**t)
        return np.asarray(-self.eta * m_hat / (np.sqrt(v_hat) + self.epsilon))


def _above_zero(what: str, value: float) -> float:
    if not 0 < value < float("inf"):
        raise ValueError(f"{what}={value!r}: it must be a number above 0")
    return value


def _share(what: str, value: float) -> float:
    if not 0 <= value < 1:
        raise ValueError(f"{what}={value!r}: it must be at least 0 and below 1")
    return value
