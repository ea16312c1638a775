from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from export import __main__ as main
from export.fold import fold_batch_norms
from export.graph import ExportedNetwork, trace
from runtime.manifest import Manifest
from train.checkpoint import save_checkpoint
from train.models import build_model

NAME, WIDTH = "vgg19unet-bn", 0.125


@pytest.fixture
def described(manifest: Manifest) -> Manifest:
    return dataclasses.replace(manifest, model=NAME, width=WIDTH, batch=1)


def lively(network: nn.Module) -> nn.Module:
    """Normalisations as training leaves them: no mean is 0 and no variance 1."""
    torch.manual_seed(0)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d) and layer.running_mean is not None:
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.1, 2)
            nn.init.uniform_(layer.weight, 0.5, 2)
            nn.init.normal_(layer.bias)
    return network.eval()


def norms(network: nn.Module) -> list[str]:
    return [name for name, each in network.named_modules() if isinstance(each, nn.BatchNorm2d)]


def test_a_folded_network_gives_the_same_logits(described: Manifest) -> None:
    network = lively(build_model(NAME, WIDTH))
    folded = fold_batch_norms(network, described)
    assert (len(norms(network)), norms(folded)) == (24, [])
    with torch.no_grad():
        pictures = torch.randn(2, 3, 48, 80)
        expected = network(pictures)
        torch.testing.assert_close(folded(pictures), expected, rtol=1e-4, atol=1e-4)
    assert fold_batch_norms(folded, described) is folded


class Awkward(nn.Module):
    """Only `plain` may be folded: the others read no convolution, one that something else reads as
    well, and one that runs twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.plain = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)
        self.before, self.third = nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1)
        self.twice, self.shared = nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1)
        self.between = nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.plain(self.first(x))
        y = self.third(self.before(x))
        y = y + self.twice(y)
        return self.shared(self.between(self.shared(y)))


def test_what_is_not_a_convolutions_own_normalisation_stays(described: Manifest) -> None:
    network = lively(Awkward())
    folded = fold_batch_norms(network, described)
    assert norms(folded) == ["before", "twice", "between"]
    with torch.no_grad():
        pictures = torch.randn(1, 3, 16, 16)
        torch.testing.assert_close(folded(pictures), network(pictures), rtol=1e-4, atol=1e-4)


def test_half_weights_are_rounded_once(described: Manifest) -> None:
    folded = fold_batch_norms(lively(build_model(NAME, WIDTH)), described)
    graph = trace(ExportedNetwork(folded, described, torch.float16), described)
    weights = {each.name: numpy_helper.to_array(each) for each in graph.graph.initializer}
    for name in ("features.0.weight", "features.0.bias", "layer2.3.weight"):
        once = folded.state_dict()[name].half().numpy()
        np.testing.assert_array_equal(weights[f"network.{name}"], once)


def test_no_exported_graph_normalises_between_layers(
    command: Callable[..., tuple[int, str, str]],
    described: Manifest,
    photographs: Path,
    tmp_path: Path,
) -> None:
    trained = dataclasses.replace(described, batch=0)
    checkpoint = tmp_path / "best.safetensors"
    save_checkpoint(lively(build_model(NAME, WIDTH)), checkpoint, trained)
    arguments = ("--fp16", "--int8", "--max-drop", 1, "--data", photographs, "--out", tmp_path)
    code, _, err = command(main.app, checkpoint, *arguments)
    assert code == 0, err
    graphs = {path.name: onnx.load(path).graph for path in tmp_path.glob("*.onnx")}
    assert len(graphs) == 4
    for name, graph in graphs.items():
        norms = [node for node in graph.node if node.op_type == "BatchNormalization"]
        convolutions = [node for node in graph.node if node.op_type == "Conv"]
        if name == "model.int8.onnx":  # the picture's own, and upsampling by products
            assert [node.name for node in norms] == ["normalise"]
            assert len(convolutions) == 25 + 4
        else:
            assert (len(convolutions), norms) == (25, [])
    whole = (tmp_path / "model.onnx").stat().st_size
    assert (tmp_path / "model.int8.onnx").stat().st_size < 0.35 * whole
