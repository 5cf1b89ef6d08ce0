"""The recurrent layers that PyTorch computes in one call, written out: a loop in which each step reads its weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import dropout

Tensor = Any

CELLS: dict[Any, Callable[..., Any]] = {
    torch.lstm: torch.lstm_cell,
    torch.gru: torch.gru_cell,
    torch.rnn_tanh: torch.rnn_tanh_cell,
    torch.rnn_relu: torch.rnn_relu_cell,
}


@dataclass
class FusedCall:
    """What one call computes: the steps of the input, (B, l) each, and how its layers are stacked.

    Packed sequences, longest first, have fewer samples in later steps.
    """

    cell: Callable[..., Any]
    steps: list[Tensor]
    start: list[Tensor]
    weights: Sequence[Tensor]
    count: int
    dropout: float
    both_ways: bool
    join: Callable[[list[Tensor]], Tensor]
    part: Callable[[Tensor], list[Tensor]]


def understood(func: Any, args: Sequence[Any]) -> FusedCall:
    """The arguments of a fused call.

    Raises
    ------
    NotImplementedError
        If the states are projected.
    """
    join: Callable[[list[Tensor]], Tensor]
    part: Callable[[Tensor], list[Tensor]]
    if isinstance(args[3], (list, tuple)):  # packed sequences
        data, sizes, start, weights, biased, count, dropping, train, both_ways = args
        lengths = sizes.tolist()
        join, part = torch.cat, lambda x: list(torch.split(x, lengths))
    else:
        data, start, weights, biased, count, dropping, train, both_ways, batch_first = args
        axis = 1 if batch_first else 0
        join, part = lambda steps: torch.stack(steps, axis), lambda x: list(x.unbind(axis))
    start = list(start) if func is torch.lstm else [start]
    if len({h.shape[-1] for h in start}) > 1:
        raise NotImplementedError(
            "an LSTM with proj_size is watched: its projected states are not written out here. Use a cell of your own, "
            "or proj_size=0"
        )
    if not biased:
        weights = [w for pair in zip(weights[::2], weights[1::2], strict=True) for w in (*pair, None, None)]
    return FusedCall(CELLS[func], part(data), start, weights, count, dropping * train, both_ways, join, part)


def played(call: FusedCall, read: Callable[[Tensor, int], Tensor]) -> tuple[Tensor, ...]:
    """The outputs and last states of the layers, as the fused call gives them.

    Parameters
    ----------
    call : FusedCall
    read : callable
        ``read(weight, t)``: the weight's copy at time step t.
    """
    ways, steps = 2 if call.both_ways else 1, call.steps
    last: list[list[Tensor]] = [[] for _ in call.start]
    for k in range(call.count):
        sides = []
        for way in range(ways):
            at = k * ways + way
            weights = call.weights[4 * at : 4 * at + 4]
            outputs, ends = _one_way(call, steps, [h[at] for h in call.start], weights, way == 1, read)
            sides.append(outputs)
            for all_ends, end in zip(last, ends, strict=True):
                all_ends.append(end)
        steps = [torch.cat(parts, -1) for parts in zip(*sides, strict=True)]
        if call.dropout and k < call.count - 1:
            # On all steps at once, so that the masks are those that the fused call would have drawn.
            steps = call.part(dropout(call.join(steps), call.dropout, True))
    return call.join(steps), *(torch.stack(each) for each in last)


def _one_way(
    call: FusedCall,
    steps: list[Tensor],
    start: list[Tensor],
    weights: Sequence[Tensor],
    backwards: bool,
    read: Callable[[Tensor, int], Tensor],
) -> tuple[list[Tensor], list[Tensor]]:
    """One layer in one direction: its outputs in the order of time, and the states that it ends with."""
    outputs: list[Tensor] = [None] * len(steps)
    order = range(len(steps))
    state = [h[: len(steps[-1])] for h in start] if backwards else start
    ended: list[list[Tensor]] = []  # the last states of samples that are over, the shortest first
    for t in reversed(order) if backwards else order:
        samples, going = len(steps[t]), len(state[0])
        if samples < going:
            ended.append([h[samples:] for h in state])
            state = [h[:samples] for h in state]
        if samples > going:
            state = [torch.cat([h, h0[going:samples]]) for h, h0 in zip(state, start, strict=True)]
        copies = [None if w is None else read(w, t + 1) for w in weights]
        new = call.cell(steps[t], tuple(state) if len(state) > 1 else state[0], *copies)
        state = list(new) if len(state) > 1 else [new]
        outputs[t] = state[0]
    for those in reversed(ended):
        state = [torch.cat([h, more]) for h, more in zip(state, those, strict=True)]
    return outputs, state
