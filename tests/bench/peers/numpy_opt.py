"""BPTT by hand, optimised as far as NumPy goes: the practical limit, and so the measure of all others.

It has no graph, no copies and no names to show, and each network is written out for itself. With one sample its
forms compete on the spot; with more, one form was never behind by more than the noise.
"""

from . import opt_gru, opt_guo, opt_lstm

MODULES = {"guo": opt_guo, "lstm": opt_lstm, "gru": opt_gru}
FORMS = ("hoist/hoist", "aug/hoist", "hoist/aug", "aug/aug")  # forwards/backwards, see opt_guo


def forms(kind, problem):
    return FORMS if problem.B == 1 and kind != "gru" else FORMS[:1]


def make(kind, problem, form="hoist/hoist"):
    return MODULES[kind].make(problem, *(form.split("/") if kind != "gru" else ()))
