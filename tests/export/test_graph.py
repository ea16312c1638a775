from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from export import graph as graph_module
from export.graph import OPSET, ExportedNetwork, tidy, to_bytes, trace
from export.reference import reference_logits
from runtime.errors import ModelError
from runtime.manifest import INPUT_NAME, OUTPUT_NAME, Manifest

Traced = Callable[..., onnx.ModelProto]


def frames(count: int, manifest: Manifest, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (count, *manifest.input_size, 3), dtype=np.uint8)


def run_graph(graph: onnx.ModelProto, inputs: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(to_bytes(graph), providers=["CPUExecutionProvider"])
    return session.run([OUTPUT_NAME], {INPUT_NAME: inputs})[0]


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_takes_uint8_pictures_and_gives_float32_logits(
    traced: Traced, manifest: Manifest, precision: str
) -> None:
    graph = traced(precision).graph
    (entry,), (result,) = graph.input, graph.output
    height, width = manifest.input_size
    assert (entry.name, result.name) == (INPUT_NAME, OUTPUT_NAME)
    assert entry.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert result.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert [side.dim_value for side in entry.type.tensor_type.shape.dim] == [1, height, width, 3]
    assert [side.dim_value for side in result.type.tensor_type.shape.dim] == [1, 1, height, width]


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_the_input_feeds_nothing_but_a_cast(traced: Traced, precision: str) -> None:
    readers = [node for node in traced(precision).graph.node if INPUT_NAME in node.input]
    assert [node.op_type for node in readers] == ["Cast"]


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_the_graph_is_clean(traced: Traced, precision: str) -> None:
    model = traced(precision)
    graph = model.graph
    read = {name for node in graph.node for name in node.input} | {OUTPUT_NAME}
    made = [name for node in graph.node for name in node.output]
    assert {entry.domain: entry.version for entry in model.opset_import} == {"": OPSET}
    assert OPSET <= 20
    assert set(made) <= read, "a dead node"
    assert {weight.name for weight in graph.initializer} <= read, "a dead weight"
    assert not {node.op_type for node in graph.node} & {"Constant", "Identity", "Shape", "Dropout"}
    shaped = {value.name for value in graph.value_info if value.type.tensor_type.HasField("shape")}
    assert set(made) - {OUTPUT_NAME} <= shaped, "a tensor without an inferred shape"


def test_nodes_are_named_after_their_layers(traced: Traced, network: nn.Module) -> None:
    names = {node.name for node in traced("fp32").graph.node}
    layers = {
        name
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.ReLU | nn.MaxPool2d)
        and name != "features.36"
    }
    assert layers <= names
    assert len(names) == len(traced("fp32").graph.node)


def test_nothing_in_the_file_says_on_which_machine_it_was_made(traced: Traced) -> None:
    content = to_bytes(traced("fp32"))
    for trace_of_machine in (b"/home", b"/work", b".py", b"site-packages", b"aten"):
        assert trace_of_machine not in content


def test_the_same_weights_give_the_same_bytes(
    traced: Traced, network: nn.Module, manifest: Manifest
) -> None:
    manifest = dataclasses.replace(manifest, batch=1)
    again = trace(ExportedNetwork(network, manifest), manifest)
    assert to_bytes(again) == to_bytes(traced("fp32"))


def test_exporting_leaves_the_network_as_it_was(network: nn.Module, manifest: Manifest) -> None:
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    ExportedNetwork(network, manifest, torch.float16)
    after = network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_dynamic_batch_takes_any_number_of_frames(
    traced: Traced, network: nn.Module, manifest: Manifest
) -> None:
    inputs = frames(3, manifest)
    expected = reference_logits(network, manifest, inputs)
    for count in (1, 2, 3):
        logits = run_graph(traced("fp32", 0), inputs[:count])
        np.testing.assert_allclose(logits, expected[:count], atol=2e-3)


def test_a_free_size_takes_any_multiple_of_16(network: nn.Module, manifest: Manifest) -> None:
    free = dataclasses.replace(manifest, dynamic_size=True)
    graph = trace(ExportedNetwork(network, free), free)
    sides = [side.dim_param for side in graph.graph.input[0].type.tensor_type.shape.dim[:3]]
    assert sides == ["batch", "16*rows", "16*columns"]
    for size in ((16, 16), (32, 48), (48, 80), (16, 144)):
        inputs = frames(2, dataclasses.replace(manifest, input_size=size))
        expected = reference_logits(network, manifest, inputs)
        np.testing.assert_allclose(run_graph(graph, inputs), expected, atol=2e-3)
    again = trace(ExportedNetwork(network, free), free)
    assert to_bytes(again) == to_bytes(graph)


def test_a_dark_frame_is_normalised_like_any_other(
    traced: Traced, network: nn.Module, manifest: Manifest
) -> None:
    for value in (0, 1, 255):
        inputs = np.full((1, *manifest.input_size, 3), value, np.uint8)
        expected = reference_logits(network, manifest, inputs)
        np.testing.assert_allclose(run_graph(traced("fp32"), inputs), expected, atol=2e-3)


class Huge(nn.Module):
    """Weights of two gibibytes that take no memory."""

    def __init__(self) -> None:
        super().__init__()
        with torch.device("meta"):
            self.layers = nn.Sequential(nn.Conv2d(3, 2**14, 1), nn.Conv2d(2**14, 2**15, 1))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.layers(pictures)


def test_a_network_above_two_gibibytes_is_refused_before_it_is_traced(manifest: Manifest) -> None:
    with pytest.raises(ModelError, match=r"has 2.0 GiB, an ONNX file holds less than 2; train a"):
        trace(ExportedNetwork(Huge(), manifest), manifest)


def test_a_graph_above_two_gibibytes_is_refused_before_it_is_checked(
    traced: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_module, "TWO_GIBIBYTES", 1000)
    with pytest.raises(ModelError, match="an ONNX file holds less than 2; train a smaller one"):
        tidy(copy.deepcopy(traced("fp32")))
