"""PyTorch's own layers: torch.nn.RNN, LSTM and GRU, with a linear head."""

import torch
from torch.func import functional_call

from . import textbook
from .torch_loop import LIB, step_of

LAYERS = {"guo": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def make(kind, problem):
    H = problem.H
    layer = LAYERS[kind](problem.I, H, dtype=torch.tensor(problem.x).dtype)
    none = torch.zeros_like(layer.bias_hh_l0, requires_grad=False)

    def cost(w, x, d, _zeros):
        recurrent = torch.cat([none[: 2 * H], w["b_n"]]) if kind == "gru" else none
        weights = {
            "weight_ih_l0": w["V"],
            "weight_hh_l0": w["U"],
            "bias_ih_l0": w["b_j"],
            "bias_hh_l0": recurrent,
        }
        states, _ = functional_call(layer, weights, (x,))
        return textbook.cost(LIB, w, states, d)

    return step_of(cost, problem)
