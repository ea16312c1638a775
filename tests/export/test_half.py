from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from export.half import activation_ranges, check_ranges, half_layers, parsed_half_layers
from runtime.engine_library import load_library
from runtime.errors import ModelError
from runtime.manifest import Manifest


@pytest.fixture
def frame(manifest: Manifest) -> np.ndarray:
    return np.full((1, *manifest.input_size, 3), 200, np.uint8)


def test_every_layer_has_a_range(network: nn.Module, manifest: Manifest, frame: np.ndarray) -> None:
    ranges = activation_ranges(network, manifest, frame)
    run = {"features.0", "features.34", "up_sample_54", "layer5.0", "layer2.3", "layer1"}
    assert run <= set(ranges)
    assert all(value > 0 for value in ranges.values())
    check_ranges(ranges)


def test_a_range_is_the_largest_activation_of_that_layer_over_all_frames(
    network: nn.Module, manifest: Manifest
) -> None:
    random = np.random.default_rng(0)
    frames = random.integers(0, 256, (2, *manifest.input_size, 3), dtype=np.uint8)
    seen: list[torch.Tensor] = []
    hook = network.get_submodule("layer1").register_forward_hook(
        lambda layer, inputs, output: seen.append(output.clone())
    )
    ranges = activation_ranges(network, manifest, frames)
    hook.remove()
    assert ranges["layer1"] == max(output.abs().max().item() for output in seen)
    assert len(seen) == 2


@pytest.mark.parametrize(("factor", "fails"), [(1.0, False), (1e5, True), (float("nan"), True)])
def test_an_overflow_is_an_error_that_names_the_layer(
    network: nn.Module, manifest: Manifest, frame: np.ndarray, factor: float, fails: bool
) -> None:
    loud = copy.deepcopy(network)
    with torch.no_grad():
        loud.get_submodule("layer4.2").weight.mul_(factor)
    ranges = activation_ranges(loud, manifest, frame)
    if not fails:
        return check_ranges(ranges)
    with pytest.raises(ModelError, match=r"layer layer4.2 reaches .* export without --fp16"):
        check_ranges(ranges)


class Added(nn.Module):
    """Layers whose results stay small, with additions between them that do not."""

    def __init__(self, factor: float, place: str) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 1, 1), nn.Conv2d(1, 1, 1)
        self.act = nn.ReLU(inplace=True)
        self.factor, self.place = factor, place
        nn.init.constant_(self.first.weight, 0.0)
        nn.init.constant_(self.first.bias, 6000.0)  # type: ignore[arg-type]
        nn.init.constant_(self.last.weight, 1e-3)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        y = self.first(pictures)
        much = (y + y + y + y) * self.factor
        if self.place == "act":
            much = self.act(much) / 1e4
        logits: torch.Tensor = self.last(much)
        return logits if self.place != "network" else logits * 2e3


@pytest.mark.parametrize(
    ("factor", "place", "named"),
    [
        (4.0, "last", r"last \(its input\) reaches 9\.6e\+04"),
        (-4.0, "act", r"act \(its input\) reaches 9\.6e\+04"),
        (0.25, "network", r"network \(its output\) reaches"),
        (0.25, "last", None),
    ],
)
def test_an_overflow_between_layers_is_an_error_that_names_the_next_layer(
    manifest: Manifest, frame: np.ndarray, factor: float, place: str, named: str | None
) -> None:
    ranges = activation_ranges(Added(factor, place), manifest, frame)
    assert ranges["first"] == 6000
    if named is None:
        return check_ranges(ranges)
    with pytest.raises(ModelError, match=f"layer {named} .*export without --fp16"):
        check_ranges(ranges)


def test_half_layers_are_counted(traced: Callable[..., onnx.ModelProto]) -> None:
    # 25 convolutions, 24 ReLUs, 4 poolings, 4 transposed convolutions, 4 concatenations, a cast
    assert half_layers(traced("fp16")) == (62, 67)
    assert half_layers(traced("fp32")) == (0, 65)


@pytest.mark.skipif(
    load_library("tensorrt_rtx") is None, reason="TensorRT for RTX is not installed"
)
def test_half_layers_are_counted_as_tensorrt_parses_them(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = onnx.load(home / "exports" / "tiny" / "model.fp16.onnx")
    assert parsed_half_layers(graph)["tensorrt network"][0] == 62
    graph.graph.node[1].op_type = "Unknowable"
    capsys.readouterr()
    assert parsed_half_layers(graph) == {}
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("half layers are counted in the graph only: tensorrt_rtx")


def test_without_a_library_only_the_graphs_half_layers_are_counted(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt_rtx", None)
    graph = onnx.load(home / "exports" / "tiny" / "model.fp16.onnx")
    assert parsed_half_layers(graph) == {}


def test_weights_are_half_and_normalisation_is_not(traced: Callable[..., onnx.ModelProto]) -> None:
    weights = traced("fp16").graph.initializer
    kinds = {weight.name: weight.data_type for weight in weights}
    assert {kinds.pop("offset"), kinds.pop("scale")} == {onnx.TensorProto.FLOAT}
    assert set(kinds.values()) == {onnx.TensorProto.FLOAT16}
