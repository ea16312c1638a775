"""Rewritten graphs compute the same function, borders and biases included."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx

from benchmarks.graphs import multiply_adds, reshaped
from benchmarks.rewrites import subpixel
from tests.export.test_processors import run, with_biases


def test_sub_pixel_convolutions_give_the_same_logits(
    traced: Callable[[str, int], onnx.ModelProto],
) -> None:
    graph = with_biases(traced("fp32", 1))  # a border without them shows
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
