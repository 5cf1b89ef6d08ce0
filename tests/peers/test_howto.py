"""The page "How to" compares a model of PyTorch with ours, copy by copy: its lines, run beside PyTorch."""

import re
from pathlib import Path

import numpy as np

PAGE = Path(__file__).parents[2] / "docs/howto.md"


def test_a_model_of_pytorch_copy_by_copy(capsys):
    section = PAGE.read_text("utf-8").split("## Compare a model of PyTorch")[1]
    blocks = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    assert len(blocks) == 3  # the model, the same network, and the two compared
    names = {}
    for code in blocks:
        exec(code, names)
    net, recurrent = names["net"], names["rnn"].weight_hh_l0.grad
    assert abs(net.loss - names["cost"].item()) < 1e-12
    said = capsys.readouterr().out.splitlines()
    assert len(said) == net.T == 5
    added = [float(re.search(r"adds (\S+) to", line)[1]) for line in said]
    np.testing.assert_allclose(sum(added), recurrent[0, 0].item(), rtol=0, atol=3e-6)
    assert max(added) - min(added) > 1e-3
