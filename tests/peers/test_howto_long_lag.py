"""The how-to guide on a model that does not learn a long lag: the site shows these very lines."""


def test_why_a_model_does_not_learn_the_long_lag(capsys):
    # A model
    import torch
    from torch import nn

    class Recall(nn.Module):
        """Says at the end of a sequence which symbol it began with."""

        def __init__(self, layer, symbols=8, units=32):
            super().__init__()
            self.embed = nn.Embedding(symbols, units)
            self.rnn = layer(units, units)
            self.decode = nn.Linear(units, symbols)

        def forward(self, words):
            states, _ = self.rnn(self.embed(words))
            return self.decode(states[-1])

    torch.manual_seed(0)
    model, words = Recall(nn.RNN), torch.randint(8, (40, 16))

    # Watched
    import numpy as np

    import tinygrad_rnn as tg

    def shares(model):
        with tg.watch(model) as watched:
            cost = nn.functional.cross_entropy(model(words), words[0])
        cost.backward()
        return np.linalg.norm(watched.copies["rnn.weight_hh_l0"], axis=(1, 2))

    plain = shares(model)
    print(f"the copy at t = 2 gives {plain[1] / plain[-1]:.0e} of what the last one gives")

    # Mended
    gated = Recall(nn.LSTM)
    with torch.no_grad():
        gated.rnn.bias_hh_l0[32:64] = 3.0  # the forget gates begin open
    kept = shares(gated)
    print(f"with an LSTM whose forget gates begin open: {kept[1] / kept[-1]:.0e}")
    # End

    lines = capsys.readouterr().out.splitlines()
    assert plain[1] / plain[-1] < 1e-6, lines
    assert kept[1] / kept[-1] > 1e-3, lines
