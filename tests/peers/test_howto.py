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


def test_a_model_of_pytorch_is_gone_on_from_and_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    section = PAGE.read_text("utf-8").split("## Go on from a PyTorch model")[1].split("## Check my own")[0]
    blocks = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    assert len(blocks) == 4  # the model, trained on here, back, and on to others
    names = {}
    exec(blocks[0], names)
    first = names["model"](names["torch"].zeros(6, 4, 3)).detach().numpy()
    exec(blocks[1], names)
    net = names["net"]
    assert net.replay() < 0.9 * names["before"]
    exec(blocks[2], names)
    theirs = names["torch"].softmax(names["model"](names["torch"].tensor(names["x"])), -1).detach().numpy()
    np.testing.assert_allclose(np.stack([y.value for y in net.outputs]), theirs, rtol=0, atol=1e-6)
    assert np.abs(names["model"](names["torch"].zeros(6, 4, 3)).detach().numpy() - first).max() > 1e-2
    exec(blocks[3], names)
    assert {p.suffix for p in tmp_path.iterdir()} == {".safetensors", ".pt", ".keras", ".onnx"}
