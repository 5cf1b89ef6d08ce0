"""The competitors, a file each.

A peer's module offers ``make(kind, problem) -> step``; ``step()`` runs one training step from the problem's
arrays and returns the cost and the gradients by name. A module with several forms of one program also offers
``forms(kind, problem)``, their names, and takes ``make(kind, problem, form)``: the fastest is the one that counts.
"""

from typing import NamedTuple


class MissingError(Exception):
    """This peer cannot run this problem; the text says why."""


class Peer(NamedTuple):
    name: str
    module: str
    skips: tuple[str, ...] = ()  # sizes at which one step takes seconds, and says nothing new


OPT = Peer("numpy_opt", "peers.numpy_opt")  # the limit: all others are ratios to it
PEERS = [
    Peer("tape", "peers.tape"),
    Peer("numpy_naive", "peers.numpy_naive"),
    Peer("jax_scan", "peers.jax_scan"),
    Peer("torch_best", "peers.torch_best"),
    Peer("torch_loop", "peers.torch_loop"),
    Peer("torch_nn", "peers.torch_nn"),
    Peer("mygrad", "peers.my_grad", skips=("large", "verylong")),
    Peer("autograd", "peers.hips_autograd", skips=("large", "verylong")),
]
