"""Rewritten graphs compute the same function, borders and biases included."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from benchmarks.graphs import multiply_adds, reshaped
from benchmarks.rewrites import subpixel


def run(graph: onnx.ModelProto, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    logits: NDArray[np.float32] = session.run(None, {"input": inputs})[0]
    return logits


def test_sub_pixel_convolutions_give_the_same_logits(
    traced: Callable[[str, int], onnx.ModelProto],
) -> None:
    graph = onnx.ModelProto.FromString(traced("fp32", 1).SerializeToString())
    for weight in graph.graph.initializer:
        if "up_sample" in weight.name and weight.name.endswith("bias"):  # a border without it shows
            ones = np.full(tuple(weight.dims), 0.5, np.float32)
            weight.CopyFrom(onnx.numpy_helper.from_array(ones, weight.name))
    changed = subpixel(graph)
    assert not [node for node in changed.graph.node if node.op_type == "ConvTranspose"]
    side = [dimension.dim_value for dimension in graph.graph.input[0].type.tensor_type.shape.dim]
    inputs = np.random.default_rng(0).integers(0, 256, side, np.uint8)
    expected = run(graph, inputs)
    np.testing.assert_allclose(run(changed, inputs), expected, atol=3e-6 * np.abs(expected).max())


def test_sub_pixel_convolutions_take_fewer_multiply_adds(
    traced: Callable[[str, int], onnx.ModelProto],
) -> None:
    graph = reshaped(traced("fp32", 1), 1, (224, 224))
    assert multiply_adds(subpixel(graph)) < 0.94 * multiply_adds(graph)
