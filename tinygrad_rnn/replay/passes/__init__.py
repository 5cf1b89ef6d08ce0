"""The passes of the compiler: each makes another folded step of one, and can be left out.

They stand in the order in which they leave the fewest calls; any order gives the same numbers. For a new pass, write a
function ``Folded -> Folded`` that says what is to stand for which nodes (`rewritten`), and put it here.
"""

from .fusing import fuse_gates
from .hoisting import hoist
from .joining import join_products
from .packing import pack
from .splitting import split_sums
from .units import remove_units

PASSES = (remove_units, hoist, join_products, fuse_gates, pack, split_sums)

__all__ = ["PASSES", "fuse_gates", "hoist", "join_products", "pack", "remove_units", "split_sums"]
