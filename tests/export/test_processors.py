from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from benchmarks.graphs import multiply_adds
from export.calibration import calibrate
from export.int8 import KINDS, first_kept, quantise
from export.processors import for_processors
from export.proof import Proof

Traced = Callable[..., onnx.ModelProto]


def run(graph: onnx.ModelProto, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    logits: NDArray[np.float32] = session.run(None, {"input": inputs})[0]
    return logits


def with_biases(graph: onnx.ModelProto) -> onnx.ModelProto:
    """A network starts with biases of 0, behind which an error would hide."""
    changed = onnx.ModelProto.FromString(graph.SerializeToString())
    for weight in changed.graph.initializer:
        if "up_sample" in weight.name and weight.name.endswith("bias"):
            values = np.linspace(-0.5, 0.5, weight.dims[0], dtype=np.float32)
            weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    return changed


@pytest.mark.parametrize("batch", [1, 0])
def test_the_logits_are_the_same(traced: Traced, batch: int) -> None:
    graph = with_biases(traced("fp32", batch))
    changed = for_processors(graph)
    operators = Counter(node.op_type for node in changed.graph.node)
    assert operators["ConvTranspose"] == operators["Sub"] == 0
    assert operators["BatchNormalization"] == 1
    sides = [side.dim_value for side in graph.graph.input[0].type.tensor_type.shape.dim[1:]]
    inputs = np.random.default_rng(0).integers(0, 256, (batch or 3, *sides), np.uint8)
    expected = run(graph, inputs)
    np.testing.assert_allclose(run(changed, inputs), expected, atol=3e-6 * np.abs(expected).max())


def test_the_multiply_adds_are_the_same(traced: Traced) -> None:
    graph = traced("fp32", 1)
    assert multiply_adds(for_processors(graph)) == multiply_adds(graph)


def test_onnx_runtime_computes_all_but_the_ends_in_8_bits(
    traced: Traced, proof: Proof, tmp_path: Path
) -> None:
    kind, graph = KINDS["cpu"], for_processors(traced("fp32", 1))
    ranges = calibrate(graph, proof.frames.inputs)["mean"]
    quantised = quantise(graph, ranges, kind, first_kept(graph, kind))
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 3  # it warns that such a file fits this processor alone
    onnxruntime.InferenceSession(
        quantised.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    operators = Counter(node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node)
    assert operators["QLinearConv"] == 27
    ends = operators["Conv"] + operators["FusedConv"]
    assert ends == 2, "the first layer, and the last, which gives the logits"
    assert operators["QLinearConcat"] == 4
    assert operators["QuantizeLinear"] == 1, "what the first layer gives"
    assert operators["DequantizeLinear"] <= 3, "what the last layer reads, and its weights"
