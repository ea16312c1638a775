"""INT8 as Q/DQ, in two kinds, because engines differ.

For TensorRT activations are signed and symmetric with zero point 0 (its parser refuses others);
for CPUs they are unsigned (ONNX Runtime computes those faster). Weights are per channel and
symmetric in both. What a layer gives is rounded once, behind its ReLU, where the next one reads it:
rounded in front of it too, levels would be spent on what the ReLU takes away. ONNX
Runtime quantises, since it is what runs the result on a CPU. There the graph is rewritten first,
the concatenations have 8 bits too, which spares their inputs a way through float32, and weights
keep to 7 bits: x86 processors without VNNI add two products of 8 bits in 16, which would saturate.
The first layer stays in float32 there, see `first_kept`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import onnx
from onnxruntime.quantization import QuantType
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

from export.graph import tidy
from export.half import halve_layers
from export.processors import for_processors

WEIGHTED = ("Conv", "ConvTranspose")
LAYERS = (*WEIGHTED, "MaxPool")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One of the two kinds. rewrite: of the graph that is quantised, into one of the same function
    that this kind is made of. operators: those with 8-bit inputs; all others, normalisation and the
    logits among them, stay in float32. bias: whether biases become 32-bit integers (TensorRT reads
    none). narrow: whether weights stay within -64 to 64, so that 2 * 255 * 64 fits into 16 bits.
    kept_half: whether layers that are not quantised compute in half precision; a CPU
    computes float32 faster."""

    file: str
    rewrite: Callable[[onnx.ModelProto], onnx.ModelProto]
    operators: tuple[str, ...]
    activations: QuantType
    symmetric: bool
    bias: bool
    narrow: bool
    kept_half: bool


KINDS = {
    "cpu": Kind(
        file="model.int8.onnx",
        rewrite=for_processors,
        operators=(*LAYERS, "Concat"),
        activations=QuantType.QUInt8,
        symmetric=False,
        bias=True,
        narrow=True,
        kept_half=False,
    ),
    "tensorrt": Kind(
        file="model.int8.tensorrt.onnx",
        rewrite=lambda graph: graph,
        operators=LAYERS,
        activations=QuantType.QInt8,
        symmetric=True,
        bias=False,
        narrow=False,
        kept_half=True,
    ),
}


def quantise(
    graph: onnx.ModelProto, ranges: Any, kind: Kind, kept: tuple[str, ...] = ()
) -> onnx.ModelProto:
    """The graph with Q/DQ around every layer but those that are `kept` in higher precision.

    graph: after the kind's `rewrite`. ranges: of that graph's activations.
    """
    quantiser = QDQQuantizer(
        copy.deepcopy(graph),
        per_channel=True,
        reduce_range=kind.narrow,
        weight_qType=QuantType.QInt8,
        activation_qType=kind.activations,
        tensors_range=ranges,
        nodes_to_quantize=[],
        nodes_to_exclude=[*kept, *_only_for(kept, graph)],
        op_types_to_quantize=list(kind.operators),
        extra_options={
            "WeightSymmetric": True,
            "ActivationSymmetric": kind.symmetric,
            "QuantizeBias": kind.bias,
            "OpTypesToExcludeOutputQuantization": list(WEIGHTED),
            "ForceQuantizeNoInputCheck": True,  # pools too, which read what no layer has rounded
        },
    )
    quantiser.quantize_model()
    quantiser.model.topological_sort()
    quantised: onnx.ModelProto = quantiser.model.model
    if kind.kept_half:
        halve_layers(quantised, kept)
    return tidy(onnx.shape_inference.infer_shapes(quantised))


def _only_for(kept: tuple[str, ...], graph: onnx.ModelProto) -> list[str]:
    """Concatenations that nothing but kept layers read: 8 bits would only cost accuracy there."""
    nodes = list(graph.graph.node)
    return [
        node.name
        for node in nodes
        if node.op_type == "Concat"
        and all(other.name in kept for other in nodes if node.output[0] in other.input)
    ]


def first_kept(graph: onnx.ModelProto, kind: Kind) -> tuple[str, ...]:
    """The layer that reads the picture, where weights are narrow: it has few weights for each
    channel, and where a picture is dark all over, what they lost to rounding adds up to a bias in
    all that follows (docs/quantisation.md). In float32 it takes 3 % more of the network that
    ships at most."""
    return tuple(weighted_layers(graph)[:1]) if kind.narrow else ()


def weighted_layers(graph: onnx.ModelProto) -> list[str]:
    """The names of the layers that can be kept in higher precision, in running order."""
    return [node.name for node in graph.graph.node if node.op_type in WEIGHTED]
