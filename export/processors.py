"""The same function in operators that processors have in 8 bits, or compute faster.

ONNX Runtime has no 8-bit ConvTranspose: between two layers of 8 bits it would go through float32,
in and out. As a convolution of 1x1 and a shuffle that keeps channels last, as 8-bit convolutions
have them, it is all in 8 bits (docs/performance.md has what each of this is worth).
"""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

TWICE = np.array([2, 2], np.int64)


def for_processors(graph: onnx.ModelProto) -> onnx.ModelProto:
    """A graph that processors run faster in 8 bits, with the same logits up to rounding.

    Each ConvTranspose of 2x2 and stride 2 becomes a product and a shuffle, with the same
    multiply-adds; the normalisation becomes one operator. Sizes may be free.
    """
    changed = onnx.ModelProto.FromString(graph.SerializeToString())
    weights = {weight.name: weight for weight in changed.graph.initializer}
    for node in list(changed.graph.node):
        if node.op_type == "ConvTranspose" and list(weights[node.input[1]].dims[2:]) == [2, 2]:
            replace(changed, [node], _shuffled(changed, node, weights))
    readers = {name: node for node in changed.graph.node for name in node.input}
    for node in list(changed.graph.node):
        scaling = readers.get(node.output[0])
        if node.op_type == "Sub" and scaling is not None and scaling.op_type == "Mul":
            replace(changed, [node, scaling], _normalised(changed, node, scaling, weights))
    return finished(changed)


def finished(graph: onnx.ModelProto) -> onnx.ModelProto:
    """A rewritten graph without the weights that nothing reads any more, its shapes inferred."""
    used = {name for node in graph.graph.node for name in node.input}
    kept = [weight for weight in graph.graph.initializer if weight.name in used]
    del graph.graph.initializer[:]
    graph.graph.initializer.extend(kept)
    del graph.graph.value_info[:]
    return onnx.shape_inference.infer_shapes(graph, strict_mode=True, data_prop=True)


def constant_of(graph: onnx.ModelProto, name: str, values: NDArray[np.generic]) -> str:
    """Adds a weight to a graph and gives its name."""
    graph.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
    return name


def replace(graph: onnx.ModelProto, old: list[onnx.NodeProto], new: list[onnx.NodeProto]) -> None:
    """Puts nodes where the first of `old` stands, and takes those away."""
    place = list(graph.graph.node).index(old[0])
    for node in old:
        graph.graph.node.remove(node)
    for offset, node in enumerate(new):
        graph.graph.node.insert(place + offset, node)


def _shuffled(
    graph: onnx.ModelProto, node: onnx.NodeProto, weights: dict[str, onnx.TensorProto]
) -> list[onnx.NodeProto]:
    """Conv 1x1 to four times the channels, one for each pixel of 2x2; then channels last, rows of
    pixel pairs (n, h, w, 2, 2c) into pairs of rows (n, h, 2, w, 2c), read as (n, 2h, 2w, c)."""
    kernel, bias = (numpy_helper.to_array(weights[name]) for name in node.input[1:3])
    channels, name = kernel.shape[1], node.name
    flat = kernel.transpose(2, 3, 1, 0).reshape(4 * channels, -1, 1, 1)

    def constant(part: str, values: NDArray[np.generic]) -> str:
        return constant_of(graph, f"{name}.{part}", values)

    def step(operator: str, inputs: list[str], part: str, **attributes: object) -> onnx.NodeProto:
        result = f"{name}_{part}"
        return helper.make_node(operator, inputs, [result], result, **attributes)

    wide = helper.make_node(
        "Conv",
        [node.input[0], constant("weight", flat), constant("bias", np.tile(bias, 4))],
        [f"{name}_wide"],
        name,
    )
    last = step("Transpose", [wide.output[0]], "last", perm=[0, 2, 3, 1])
    pairs = constant("pairs", np.array([0, 0, 0, 2, 2 * channels], np.int64))  # 0: as it was
    split = step("Reshape", [last.output[0], pairs], "split")
    rows = step("Transpose", [split.output[0]], "rows", perm=[0, 1, 3, 2, 4])
    sides = step("Shape", [node.input[0]], "sides", start=2)
    doubled = step("Mul", [sides.output[0], constant("twice", TWICE)], "doubled")
    same = constant("same", np.array([0], np.int64))
    depth = constant("depth", np.array([channels], np.int64))
    shape = step("Concat", [same, doubled.output[0], depth], "shape", axis=0)
    joined = step("Reshape", [rows.output[0], shape.output[0]], "joined")
    first = helper.make_node(
        "Transpose", [joined.output[0]], [node.output[0]], f"{name}_first", perm=[0, 3, 1, 2]
    )
    return [wide, last, split, rows, sides, doubled, shape, joined, first]


def _normalised(
    graph: onnx.ModelProto,
    subtraction: onnx.NodeProto,
    scaling: onnx.NodeProto,
    weights: dict[str, onnx.TensorProto],
) -> list[onnx.NodeProto]:
    """(x - offset) * scale as a BatchNormalization of variance 1: of two operators on three
    channels ONNX Runtime makes one value after the other, with channels last."""
    offset, scale = (
        numpy_helper.to_array(weights[node.input[1]]).reshape(-1) for node in (subtraction, scaling)
    )
    statistics = {
        "scale": scale,
        "bias": np.zeros_like(scale),
        "mean": offset,
        "variance": np.ones_like(scale),
    }
    inputs = [
        constant_of(graph, f"normalise.{name}", values) for name, values in statistics.items()
    ]
    return [
        helper.make_node(
            "BatchNormalization",
            [subtraction.input[0], *inputs],
            [scaling.output[0]],
            "normalise",
            epsilon=0.0,
        )
    ]
