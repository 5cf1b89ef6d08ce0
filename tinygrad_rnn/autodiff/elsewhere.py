"""What other libraries call the things of this one: who writes their name is told ours."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

# Ours, and theirs: PyTorch's, Keras', TensorFlow's, Flax', and those of papers.
ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "cells.Guo": "RNN RNNCell SimpleRNN SimpleRNNCell SimpleCell BasicRNNCell VanillaRNN",
        "cells.Elman": "SRN",
        "cells.LSTM": "LSTMCell OptimizedLSTMCell BasicLSTMCell",
        "cells.GRU": "GRUCell",
        "cells.Stacked": "StackedRNNCells MultiRNNCell num_layers",
        "train.SGD": "GradientDescentOptimizer sgd_momentum",
        "train.clip_by_norm": "clip_grad_norm clip_by_global_norm",
        "train.clip_by_value": "clip_grad_value",
        "train.scaled_normal": "xavier_normal glorot_normal",
        "unfold": "unroll",
        "cross_entropy": """
            CrossEntropyLoss categorical_crossentropy sparse_categorical_crossentropy softmax_cross_entropy NLL NLLLoss
            log_loss BCE BCELoss BCEWithLogitsLoss binary_crossentropy
        """,
        "squared_error": "MSE MSELoss mean_squared_error SSE L2 L2Loss",
        "sigmoid": "logistic",
        "identity": "linear none",
        "relu": "rectifier",
        "eta": "lr learning_rate step_size",
        "epsilon": "eps",
        "optimiser": "optimizer",
        "s0": "h0 h_0 hx initial_state init_hidden",
        "loss": "criterion loss_fn",
        "n_in": "input_size input_dim in_features",
        "n_hidden": "hidden_size hidden_dim units num_units features",
        "n_out": "output_size output_dim out_features num_classes",
        "rng": "seed random_state key",
    }
)


def _bare(name: str) -> str:
    """A name without what is a matter of taste: capitals, underscores and hyphens."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


_OURS = {_bare(theirs): ours for ours, names in ELSEWHERE.items() for theirs in names.split()}


def name_here(theirs: str, ours: Collection[str]) -> str | None:
    """Which of our names, dotted ones by their last part, is meant by somebody else's; None if it is not known."""
    wanted = _bare(theirs)
    same = (name for name in ours if _bare(name.rpartition(".")[2]) == wanted)
    known = _OURS.get(wanted)
    return next(same, known if known in ours else None)


def no_attribute(module: str, name: str, ours: Iterable[str]) -> AttributeError:
    """The error for a name that a module has not, with ours for it."""
    here = None if name.startswith("_") else name_here(name, list(ours))
    hint = f": it is called tinygrad_rnn.{here} here" if here else ""
    return AttributeError(f"module {module!r} has no attribute {name!r}{hint}")
