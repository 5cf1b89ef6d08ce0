"""The rivals of the arena: each one function, which searches for small costs until the budget is spent.

Each is called with an objective, a generator of random numbers and its settings, and never returns: `BudgetSpent` ends
it. What stops by itself, such as L-BFGS in a minimum, starts anew from other weights; that is a part of the rival.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ...train import SGD, Adam, clip_by_norm
from .objective import Objective

Array = NDArray[Any]
CLIP = 1.0  # the longest gradient
NEAR = 0.3  # how far from the start weights a new start is: the standard deviation


def sgd(objective: Objective, _: np.random.Generator, *, eta: float) -> NoReturn:
    """Gradient descent by BPTT, with clipped gradients."""
    _descend(objective, SGD(eta), objective.gradient)


def adam(objective: Objective, _: np.random.Generator, *, eta: float) -> NoReturn:
    """Adam by BPTT, with clipped gradients. Source: Kingma and Ba (2015)."""
    _descend(objective, Adam(eta), objective.gradient)


def lbfgs(objective: Objective, rng: np.random.Generator) -> NoReturn:
    """L-BFGS by BPTT, SciPy's. Source: Byrd, Lu, Nocedal and Zhu (1995)."""
    from scipy.optimize import minimize

    w, options = objective.start, {"maxiter": 10**6, "maxfun": 10**9, "ftol": 0, "gtol": 1e-12}
    while True:
        minimize(objective.gradient, w, jac=True, method="L-BFGS-B", options=options)
        w = _new_start(objective, rng)


def levenberg_marquardt(objective: Objective, rng: np.random.Generator) -> NoReturn:
    """Levenberg-Marquardt, MINPACK's, on the exact Jacobian of forward mode. Source: Moré (1978)."""
    from scipy.optimize import least_squares

    w, small = objective.start, {"xtol": 1e-12, "ftol": 1e-12, "gtol": 1e-12}
    while True:
        least_squares(objective.residuals, w, objective.jacobian, method="lm", max_nfev=10**9, **small)
        w = _new_start(objective, rng)


def differential_evolution(objective: Objective, rng: np.random.Generator, *, members: int, bound: float) -> NoReturn:
    """Differential evolution, best1bin, SciPy's; it begins within bounds and not at the start weights.

    Source: Storn and Price (1997).
    """
    from scipy import optimize

    while True:
        # SciPy's own population would be a multiple of the number of weights; and polishing is L-BFGS.
        first = rng.uniform(-bound, bound, (members, objective.n))
        optimize.differential_evolution(
            objective.cost,
            [(-bound, bound)] * objective.n,
            init=first,
            maxiter=10**9,
            tol=0,
            atol=-1,
            polish=False,
            rng=rng,
        )


def cma_es(objective: Objective, rng: np.random.Generator, *, sigma: float) -> NoReturn:
    """CMA-ES, of the package cma. Source: Hansen (2016)."""
    import cma

    never = {"tolfun": 0, "tolx": 0, "tolfunhist": 0, "tolstagnation": 10**9, "maxiter": 10**9, "verbose": -9}
    while True:
        search = cma.CMAEvolutionStrategy(objective.start, sigma, {**never, "seed": int(rng.integers(1, 2**31))})
        while not search.stop():
            asked = search.ask()
            search.tell(asked, [objective.cost(w) for w in asked])


def snes(objective: Objective, rng: np.random.Generator, *, sigma: float) -> NoReturn:
    """Separable natural evolution strategies. Source: Schaul, Glasmachers and Schmidhuber (2011), algorithm 1."""
    n = objective.n
    count = 4 + int(3 * np.log(n))
    utility = np.maximum(0, np.log(count / 2 + 1) - np.log(np.arange(1, count + 1)))
    utility = utility / utility.sum() - 1 / count
    mean, spread = objective.start.copy(), np.full(n, sigma)
    eta = (3 + np.log(n)) / (5 * np.sqrt(n))
    while True:
        z = rng.normal(size=(count, n))
        z = z[np.argsort([objective.cost(mean + spread * one) for one in z])]  # the best first
        mean = mean + spread * (utility @ z)
        spread = spread * np.exp(eta / 2 * (utility @ (z * z - 1)))


def openai_es(objective: Objective, rng: np.random.Generator, *, eta: float, sigma: float) -> NoReturn:
    """Evolution strategies with 10 mirrored pairs, ranks for costs, and Adam. Source: Salimans et al. (2017)."""
    count = 20

    def gradient(w: Array) -> tuple[float, Array]:
        z = rng.normal(size=(count // 2, objective.n))
        z = np.concatenate([z, -z])
        costs = np.array([objective.cost(w + sigma * one) for one in z])
        ranks = costs.argsort().argsort() / (count - 1) - 0.5
        return float(costs.min()), (ranks @ z) / (count * sigma)

    _descend(objective, Adam(eta), gradient, clip=False)


def one_plus_one(objective: Objective, rng: np.random.Generator, *, sigma: float) -> NoReturn:
    """The (1+1) evolution strategy with the one fifth rule. Source: Rechenberg (1973), as in Kern et al. (2004)."""
    w = objective.start
    cost = objective.cost(w)
    while True:
        child = w + sigma * rng.normal(size=objective.n)
        found = objective.cost(child)
        if found <= cost:
            w, cost, sigma = child, found, sigma * 1.5
        else:
            sigma *= 1.5**-0.25


def spsa(objective: Objective, rng: np.random.Generator, *, eta: float) -> NoReturn:
    """Two costs along one random direction in place of the gradient, and Adam. Source: Spall (1992)."""
    h = 1e-4

    def gradient(w: Array) -> tuple[float, Array]:
        e = rng.choice([-1.0, 1.0], objective.n)
        there, back = objective.cost(w + h * e), objective.cost(w - h * e)
        return there, (there - back) / (2 * h) * e

    _descend(objective, Adam(eta), gradient)


def finite_differences(objective: Objective, _: np.random.Generator, *, eta: float) -> NoReturn:
    """The gradient measured weight by weight, n + 1 costs for each, and Adam."""
    h = 1e-6

    def gradient(w: Array) -> tuple[float, Array]:
        cost, found = objective.cost(w), np.empty(objective.n)
        for i in range(objective.n):
            moved = w.copy()
            moved[i] += h
            found[i] = (objective.cost(moved) - cost) / h
        return cost, found

    _descend(objective, Adam(eta), gradient)


def guessing(objective: Objective, rng: np.random.Generator, *, bound: float) -> NoReturn:
    """Weights drawn at random, again and again. Source: Schmidhuber, Hochreiter and Bengio (2001)."""
    while True:
        objective.cost(rng.uniform(-bound, bound, objective.n))


def online(objective: Objective, rng: np.random.Generator, *, method: str, eta: float) -> NoReturn:
    """A method that updates the weights at every window, with Adam; the cost is measured after each pass."""
    step, w = Adam(eta), objective.start
    objective.cost(w)
    while True:
        w = objective.online(method, w, step.step)
        if not np.isfinite(objective.cost(w)):
            step, w = Adam(eta), _new_start(objective, rng)


def _descend(
    objective: Objective,
    optimiser: Any,
    gradient: Callable[[Array], tuple[float, Array]],
    clip: bool = True,
) -> NoReturn:
    fresh = optimiser.state()
    params = {"w": objective.start.copy()}
    while True:
        _, found = gradient(params["w"])
        if not np.isfinite(found).all():  # it has run away: on from the best weights so far, without a memory
            params["w"][:] = objective.best_at
            optimiser.restore(fresh)
            continue
        grads = {"w": found}
        optimiser.step(params, clip_by_norm(grads, CLIP) if clip else grads)


def _new_start(objective: Objective, rng: np.random.Generator) -> Array:
    start: Array = objective.start + NEAR * rng.normal(size=objective.n)
    return start


@dataclass(frozen=True)
class Rival:
    """A way to search.

    Attributes
    ----------
    name : str
        What it is called in a table.
    search : callable
        The function.
    uses : {"gradient", "evolution", "differences", "chance", "stream"}
        What it learns from: exact derivatives, populations of costs, differences of costs, or nothing.
    settings : mapping of str to tuple
        The values of each setting, from small to large; see `tinygrad_rnn.experiments.arena.tuning`.
    needs : str
        The package of others that it calls, if any.
    """

    name: str
    search: Callable[..., NoReturn]
    uses: str
    settings: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    needs: str = ""


# Each list is so long that nobody's best should stand at its end, which costs nothing: only what lies beside the best
# so far is tried, from the middle on.
ETAS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
LONG_STEPS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # for few steps, or spreads
BOUNDS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
RIVALS: dict[str, Rival] = {
    "lbfgs": Rival("BPTT + L-BFGS", lbfgs, "gradient", needs="scipy"),
    "adam": Rival("BPTT + Adam", adam, "gradient", {"eta": ETAS}),
    "sgd": Rival("BPTT + SGD", sgd, "gradient", {"eta": LONG_STEPS}),
    "lm": Rival("Levenberg-Marquardt", levenberg_marquardt, "gradient", needs="scipy"),
    "cma": Rival("CMA-ES", cma_es, "evolution", {"sigma": LONG_STEPS}, needs="cma"),
    "snes": Rival("SNES", snes, "evolution", {"sigma": LONG_STEPS}),
    "openai": Rival(
        "OpenAI-ES",
        openai_es,
        "evolution",
        {"eta": (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0), "sigma": (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)},
    ),
    "one_plus_one": Rival("(1+1)-ES", one_plus_one, "evolution", {"sigma": LONG_STEPS}),
    "de": Rival(
        "differential evolution",
        differential_evolution,
        "evolution",
        {"members": (5, 8, 15, 30, 60, 120, 240), "bound": (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)},
        needs="scipy",
    ),
    "fd": Rival("differences + Adam", finite_differences, "differences", {"eta": LONG_STEPS}),
    "spsa": Rival("SPSA + Adam", spsa, "differences", {"eta": ETAS}),
    "guessing": Rival("guessing", guessing, "chance", {"bound": BOUNDS}),
}
STREAMS: dict[str, Rival] = {
    method: Rival(method, online, "stream", {"eta": ETAS}) for method in ("TBPTT", "RTRL", "UORO", "e-prop")
}
