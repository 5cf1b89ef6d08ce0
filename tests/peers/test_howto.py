"""The third how-to guide of the site, which shows these very lines."""


def test_a_model_of_pytorch_copy_by_copy(capsys):
    # A model
    import numpy as np
    import torch

    torch.manual_seed(0)
    rnn = torch.nn.RNN(3, 4, dtype=torch.float64)
    linear = torch.nn.Linear(4, 2, dtype=torch.float64)
    x, right = torch.randn(5, 1, 3, dtype=torch.float64), torch.tensor([0, 1, 1, 0, 1])

    hidden, _ = rnn(x)
    cost = torch.nn.functional.cross_entropy(linear(hidden)[:, 0], right, reduction="sum")
    cost.backward()

    # The same network
    import tinygrad_rnn as tg

    cell = tg.cells.Guo(f="tanh", g="softmax")
    params = cell.from_torch(rnn.state_dict(), linear.state_dict())
    d = np.eye(2)[right.numpy()][:, None]
    net = tg.unfold(cell, params, x.numpy(), d, loss="cross_entropy", reduction="sum")
    net.backward()

    # Compared
    theirs = {
        "V": rnn.weight_ih_l0,
        "U": rnn.weight_hh_l0,
        "b_j": rnn.bias_hh_l0,
        "W": linear.weight,
        "b_k": linear.bias,
    }
    for name, weight in theirs.items():
        assert np.allclose(net.copies[name].sum(axis=0), weight.grad.numpy(), rtol=0, atol=1e-12)
    for t, copy in enumerate(net.copies["U"], 1):
        theirs = rnn.weight_hh_l0.grad[0, 0]
        print(f"U({t}) adds {copy[0, 0]:+.6f} to the gradient {theirs:+.6f} of u_11")
    # End

    assert len(capsys.readouterr().out.splitlines()) == 5
    assert abs(net.loss - cost.item()) < 1e-12
