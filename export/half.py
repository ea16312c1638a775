"""FP16 that is FP16, and that does not overflow: activation ranges and the share of half layers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from export.reference import reference_logits
from runtime.console import say
from runtime.engine_library import find_builder
from runtime.engine_network import count_half_parsed
from runtime.errors import BackendError, ModelError
from runtime.manifest import Manifest

LARGEST_HALF = 65504.0
"""The largest finite number of IEEE 754 half precision."""
LARGEST_RANGE = LARGEST_HALF / 10
"""Real scenes are more varied than the frames of a proof, so a tenth is kept as headroom."""

AHEAD_OF_TIME = "tensorrt-rtx"
"""The builder that parses graphs without a GPU."""


def activation_ranges(
    network: nn.Module, manifest: Manifest, inputs: NDArray[Any]
) -> dict[str, float]:
    """Each layer's largest absolute activation on these frames, in float32, in running order.

    "layer1" is what that layer gives, "layer1 (its input)" what it takes: that is how additions
    and other functions between layers are seen, the last of them as "network (its output)".
    inputs: (N, h, w, 3) uint8 RGB. NaN counts as infinity.
    """
    ranges: dict[str, float] = {}

    def record(name: str, *values: Any) -> None:
        for value in values:
            if isinstance(value, Tensor) and value.is_floating_point():
                largest = torch.nan_to_num(value.detach().abs().max(), nan=torch.inf).item()
                ranges[name] = max(ranges.get(name, 0.0), largest)

    def watch(name: str, layer: nn.Module) -> Iterator[RemovableHandle]:
        # Before it runs, because a layer may work in place.
        yield layer.register_forward_pre_hook(
            lambda _, given: record(f"{name} (its input)", *given)
        )
        yield layer.register_forward_hook(lambda _, given, output: record(name, output))

    leaves = [(name, layer) for name, layer in network.named_modules() if not any(layer.children())]
    hooks = [hook for name, layer in leaves for hook in watch(name, layer)]
    whole = "network (its output)"
    hooks.append(network.register_forward_hook(lambda _, given, output: record(whole, output)))
    try:
        reference_logits(network, manifest, inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return ranges


def check_ranges(ranges: dict[str, float]) -> None:
    """Raises ModelError that names the first layer whose activations are too large for half."""
    for layer, largest in ranges.items():
        if largest > LARGEST_RANGE:
            raise ModelError(
                f"layer {layer} reaches {largest:.3g} on real frames; half precision ends at "
                f"{LARGEST_HALF:.0f} and a tenth of that is allowed: export without --fp16, "
                "or train again with smaller weights"
            )


def half_layers(graph: onnx.ModelProto) -> tuple[int, int]:
    """How many of a graph's nodes give half-precision results, and how many nodes there are."""
    values = [*graph.graph.value_info, *graph.graph.output]
    half = {
        value.name
        for value in values
        if value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT16
    }
    nodes = graph.graph.node
    return sum(node.output[0] in half for node in nodes), len(nodes)


def parsed_half_layers(graph: onnx.ModelProto) -> dict[str, tuple[int, int]]:
    """The same of the network that TensorRT parses, where a library of it is installed that needs
    no GPU. Empty, after a line that says why, where the library cannot read the graph."""
    try:
        trt, dialect, _ = find_builder(AHEAD_OF_TIME)
    except BackendError:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.fp16.onnx"
        path.write_bytes(graph.SerializeToString())
        try:
            return {"tensorrt network": count_half_parsed(trt, dialect, path)}
        except (BackendError, ModelError) as error:
            say(f"half layers are counted in the graph only: {error}")
            return {}


def halve_layers(graph: onnx.ModelProto, names: tuple[str, ...]) -> None:
    """Makes these convolutions compute in half precision, in place, between two casts."""
    nodes = []
    weights = {weight.name: weight for weight in graph.graph.initializer}
    for node in graph.graph.node:
        if node.name not in names:
            nodes.append(node)
            continue
        source, result = node.input[0], node.output[0]
        node.input[0], node.output[0] = f"{source}_half_{node.name}", f"{result}_half"
        for name in node.input[1:]:
            values = numpy_helper.to_array(weights[name]).astype(np.float16)
            weights[name].CopyFrom(numpy_helper.from_array(values, name))
        nodes += [
            _cast(source, node.input[0], onnx.TensorProto.FLOAT16, f"{node.name}_to_half"),
            node,
            _cast(node.output[0], result, onnx.TensorProto.FLOAT, f"{node.name}_from_half"),
        ]
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)


def _cast(source: str, result: str, to: int, name: str) -> onnx.NodeProto:
    return onnx.helper.make_node("Cast", [source], [result], to=to, name=name)
