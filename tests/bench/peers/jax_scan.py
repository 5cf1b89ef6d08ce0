"""JAX: lax.scan under jit, compiled before anything is timed. Head and x V^T step by step, or for all t at once."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp

from . import textbook

jax.config.update("jax_enable_x64", True)
LIB = SimpleNamespace(tanh=jnp.tanh, sigmoid=jax.nn.sigmoid, log_softmax=jax.nn.log_softmax)


def step_by_step(kind, w, x, d, zeros):
    def one(state, now):
        x_t, d_t = now
        state = textbook.CELLS[kind](LIB, w, textbook.into(w, x_t), state)
        return state, textbook.cost(LIB, w, textbook.output(kind, state), d_t)

    return jax.lax.scan(one, textbook.start(kind, zeros), (x, d))[1].sum()


def hoisted(kind, w, x, d, zeros):
    def one(state, net_x):
        state = textbook.CELLS[kind](LIB, w, net_x, state)
        return state, textbook.output(kind, state)

    s = jax.lax.scan(one, textbook.start(kind, zeros), textbook.into(w, x))[1]
    return textbook.cost(LIB, w, s, d)


FORMS = {"step by step": step_by_step, "hoisted": hoisted}


def forms(_kind, _problem):
    return tuple(FORMS)


def make(kind, problem, form):
    x, d = jnp.asarray(problem.x), jnp.asarray(problem.d)
    zeros = jnp.zeros((problem.B, problem.H), x.dtype)
    run = jax.jit(jax.value_and_grad(lambda w, x, d: FORMS[form](kind, w, x, d, zeros)))
    w = {name: jnp.asarray(a) for name, a in problem.params.items()}
    return lambda: jax.block_until_ready(run(w, x, d))  # JAX returns before it has computed
