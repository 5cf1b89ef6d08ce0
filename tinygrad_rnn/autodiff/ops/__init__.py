"""The ops. One op is one block: its value, the share of each argument, its formula and its label.

A rule is written with Python operators, so that it reads like the formula beside it, and works on
arrays and on nodes alike: on nodes it records the backward pass itself. In a formula ``g`` is the
cotangent of the value, + dC / d value: Guo's error delta is its negative.

Every op acts on its last axes; axes in front of them are copies, such as all time steps at once.
"""

# A file holds a family. Whole families are handed on, so that an op is named nowhere but in its block;
# they stand in the order in which they are read best, which is that of the site's page.
from .arguments import same_shape as same_shape
from .copies import *
from .arithmetic import *
from .elementary import *
from .choices import *
from .products import *
from .shapes import *
from .parts import *
from .tables import *
from .activations import *
from .probabilities import *
from .costs import *
