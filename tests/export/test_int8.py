from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from export import artefacts
from export.artefacts import export_int8
from export.calibration import calibrate
from export.graph import to_bytes
from export.int8 import KINDS, WEIGHTED, first_kept, quantise, weighted_layers
from export.proof import Proof, run_artefact
from runtime.engine import build_engine
from runtime.engine_library import load_library
from runtime.engine_plan import plan_engine
from runtime.errors import ModelError, ParityError
from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest, write_manifest
from runtime.manifest_parts import Quantisation

Traced = Callable[..., onnx.ModelProto]


def rewritten(traced: Traced, kind: str) -> onnx.ModelProto:
    return KINDS[kind].rewrite(traced("fp32"))


def quantised(
    traced: Traced, proof: Proof, kind: str, kept: tuple[str, ...] = ()
) -> onnx.ModelProto:
    chosen, graph = KINDS[kind], rewritten(traced, kind)
    return quantise(graph, calibrate(graph, proof.frames.inputs)["minmax"], chosen, kept)


def zero_points(graph: onnx.ModelProto, dtype: int) -> list[np.ndarray]:
    weights = {weight.name: weight for weight in graph.graph.initializer}
    found = [
        weights[node.input[2]]
        for node in graph.graph.node
        if node.op_type == "QuantizeLinear" and len(node.input) == 3
    ]
    assert all(weight.data_type == dtype for weight in found)
    return [numpy_helper.to_array(weight) for weight in found]


def test_for_tensorrt_activations_are_signed_with_zero_point_0(
    traced: Traced, proof: Proof
) -> None:
    graph = quantised(traced, proof, "tensorrt")
    points = zero_points(graph, TensorProto.INT8)
    assert len(points) > 25
    assert not any(point.any() for point in points)
    kinds = {weight.data_type for weight in graph.graph.initializer}
    assert TensorProto.INT32 not in kinds, "TensorRT reads no 32-bit biases"


def test_for_cpus_activations_are_unsigned(traced: Traced, proof: Proof) -> None:
    assert len(zero_points(quantised(traced, proof, "cpu"), TensorProto.UINT8)) > 25


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_per_channel_and_symmetric(traced: Traced, proof: Proof, kind: str) -> None:
    weights = {
        w.name: numpy_helper.to_array(w) for w in quantised(traced, proof, kind).graph.initializer
    }
    packed = {name: w for name, w in weights.items() if name.endswith("weight_quantized")}
    assert len(packed) == 29
    for name, values in packed.items():
        base = name.removesuffix("_quantized")
        turned = kind == "tensorrt" and "up_sample" in name  # (in, out, 2, 2)
        channels = values.shape[1 if turned else 0]
        assert values.dtype == np.int8
        assert weights[f"{base}_scale"].shape == (channels,)
        assert not weights[f"{base}_zero_point"].any()


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_layer_gives_is_rounded_behind_its_relu_alone(
    traced: Traced, proof: Proof, kind: str
) -> None:
    graph = quantised(traced, proof, kind).graph
    readers: dict[str, list[str]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node.op_type)
    layers = [node for node in graph.node if node.op_type in WEIGHTED]
    given = [readers.get(node.output[0], []) for node in layers]
    assert given.count(["Relu"]) == 24
    assert not any("QuantizeLinear" in kinds for kinds in given if "Relu" in kinds)
    behind = [readers[node.output[0]] for node in graph.node if node.op_type == "Relu"]
    assert behind == [["QuantizeLinear"]] * 24


def test_weights_for_cpus_fit_two_products_into_16_bits(traced: Traced, proof: Proof) -> None:
    for weight in quantised(traced, proof, "cpu").graph.initializer:
        if weight.name.endswith("weight_quantized"):
            values = numpy_helper.to_array(weight).astype(int)
            assert 2 * 255 * np.abs(values).max() < 2**15
            assert np.abs(values).max() == 64


@pytest.mark.parametrize("kind", KINDS)
def test_sums_of_the_largest_products_do_not_saturate(
    fixed: Manifest, tmp_path: Path, kind: str
) -> None:
    """x86 without VNNI adds pairs of products in 16 bits: half of this sum would be lost."""
    white = np.full((1, *fixed.input_size, 3), 255, np.uint8)
    path = tmp_path / KINDS[kind].file
    graph = adder(fixed)
    graph = quantise(graph, calibrate(graph, white)["minmax"], KINDS[kind])
    path.write_bytes(to_bytes(graph))
    described = Quantisation(kind=kind, method="minmax", calibrated_on="", kept=())
    logits, _ = run_artefact(path, dataclasses.replace(fixed, quantisation=described), white)
    assert logits[0, 0, 5, 5] == pytest.approx(255 * 27 * 9 * 8, rel=0.02)


def adder(manifest: Manifest) -> onnx.ModelProto:
    """Two convolutions whose weights are all 1, so that every product is the largest there is."""
    height, width = manifest.input_size
    nodes = [
        helper.make_node("Cast", ["input"], ["cast"], "cast", to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["cast"], ["planes"], "turn", perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "first"], ["inner"], "one", pads=[1] * 4),
        helper.make_node("Conv", ["inner", "second"], ["logits"], "two", pads=[1] * 4),
    ]
    weights = {"first": (8, 3, 3, 3), "second": (1, 8, 3, 3)}
    graph = helper.make_graph(
        nodes,
        "adder",
        [helper.make_tensor_value_info("input", TensorProto.UINT8, (1, height, width, 3))],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, (1, 1, height, width))],
        [
            numpy_helper.from_array(np.ones(shape, np.float32), name)
            for name, shape in weights.items()
        ],
    )
    opset = helper.make_opsetid("", 20)
    return onnx.shape_inference.infer_shapes(
        helper.make_model(graph, opset_imports=[opset], ir_version=10)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_ranges_give_the_same_bytes(traced: Traced, proof: Proof, kind: str) -> None:
    one, two = (to_bytes(quantised(traced, proof, kind)) for _ in range(2))
    assert one == two
    assert len(one) < 0.4 * len(to_bytes(traced("fp32")))


def test_a_layer_that_is_kept_stays_in_float32(traced: Traced, proof: Proof) -> None:
    layers = weighted_layers(rewritten(traced, "cpu"))
    assert layers == weighted_layers(traced("fp32"))
    assert len(layers) == 29
    graph = quantised(traced, proof, "cpu", ("layer2.2", "layer1"))
    names = {weight.name for weight in graph.graph.initializer}
    assert "network.layer1.weight" in names
    assert "network.layer2.2.weight" in names
    assert "network.layer3.2.weight" not in names


def test_for_tensorrt_a_layer_that_is_kept_computes_in_half(
    traced: Traced, proof: Proof, fixed: Manifest
) -> None:
    kept = ("layer2.2", "layer1", "up_sample_54")
    graph = quantised(traced, proof, "tensorrt", kept)
    types = {weight.name: weight.data_type for weight in graph.graph.initializer}
    for name in kept:
        assert types[f"network.{name}.weight"] == TensorProto.FLOAT16
        assert types[f"network.{name}.bias"] == TensorProto.FLOAT16
    half = [name for name, kind in types.items() if kind == TensorProto.FLOAT16]
    assert len(half) == 2 * len(kept)
    assert graph.graph.output[0].type.tensor_type.elem_type == TensorProto.FLOAT
    parity = proof.measure_graph(graph, fixed)
    everything = proof.measure_graph(quantised(traced, proof, "tensorrt"), fixed)
    assert parity.mean_abs < everything.mean_abs


@pytest.mark.skipif(load_library("tensorrt_rtx") is None, reason="no TensorRT for RTX here")
def test_tensorrt_builds_a_graph_with_layers_kept_in_half(
    traced: Traced, proof: Proof, fixed: Manifest, tmp_path: Path
) -> None:
    path = tmp_path / KINDS["tensorrt"].file
    path.write_bytes(to_bytes(quantised(traced, proof, "tensorrt", ("layer2.2", "layer1"))))
    write_manifest(fixed, path)
    assert build_engine(plan_engine(path, "tensorrt-rtx")).is_file()


def concatenated_in_8_bits(graph: onnx.ModelProto) -> list[bool]:
    """Of each Concat: whether all that it joins was 8 bits a step before."""
    makers = {name: node.op_type for node in graph.graph.node for name in node.output}
    return [
        {makers[name] for name in node.input} == {"DequantizeLinear"}
        for node in graph.graph.node
        if node.op_type == "Concat" and node.attribute[0].i == 1  # others join lengths of sides
    ]


def test_concatenations_have_8_bits_on_cpus_only(traced: Traced, proof: Proof) -> None:
    assert concatenated_in_8_bits(quantised(traced, proof, "cpu")) == [True] * 4
    assert concatenated_in_8_bits(quantised(traced, proof, "tensorrt")) == [False] * 4


def test_a_concatenation_that_only_a_kept_layer_reads_is_kept_too(
    traced: Traced, proof: Proof
) -> None:
    graph = rewritten(traced, "cpu")
    first = next(node for node in graph.graph.node if node.name == "cat")
    reader = next(node.name for node in graph.graph.node if first.output[0] in node.input)
    found = concatenated_in_8_bits(quantised(traced, proof, "cpu", (reader,)))
    assert found == [False, True, True, True]


def test_the_first_frames_prove_what_they_prove_among_all(
    traced: Traced, fixed: Manifest, proof: Proof, tmp_path: Path
) -> None:
    path, few = tmp_path / "model.onnx", proof.first(2)
    path.write_bytes(to_bytes(quantised(traced, proof, "cpu")))
    logits, _ = proof.run(path, fixed)
    assert len(logits) > 2
    assert few.frames.names == proof.frames.names[:2]
    np.testing.assert_array_equal(few.run(path, fixed)[0], logits[:2])
    wrong = (logits[:2] > 0) != (proof.reference[:2] > 0)
    assert few.compare(logits[:2]).flipped == pytest.approx(wrong.mean())


def test_the_layer_that_reads_the_picture_has_8_bits_for_tensorrt_alone(
    traced: Traced, proof: Proof
) -> None:
    layers = {kind: weighted_layers(rewritten(traced, kind)) for kind in KINDS}
    assert {kind: first_kept(rewritten(traced, kind), KINDS[kind]) for kind in KINDS} == {
        "cpu": (layers["cpu"][0],),
        "tensorrt": (),
    }
    assert layers["cpu"][0] == "features.0"


def test_dark_pictures_are_not_biased(traced: Traced, proof: Proof, fixed: Manifest) -> None:
    """On them the first layer's weights, rounded to 7 bits, would miss in one direction."""
    source, dark = rewritten(traced, "cpu"), proof.frames.inputs // 16
    ranges = calibrate(source, proof.frames.inputs)["mean"]
    wanted = _logits(source, dark)

    def bias(kept: tuple[str, ...]) -> float:
        found = _logits(quantise(source, ranges, KINDS["cpu"], kept), dark)
        return float(np.abs((found - wanted).mean(axis=(1, 2, 3))).mean())

    assert bias(first_kept(source, KINDS["cpu"])) < 0.7 * bias(())


def _logits(graph: onnx.ModelProto, inputs: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(to_bytes(graph), providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {"input": each[None]})[0] for each in inputs])


def test_both_kinds_are_written_with_what_the_manifest_has_to_say(
    network: nn.Module, fixed: Manifest, proof: Proof, tmp_path: Path
) -> None:
    export_int8(network, fixed, tmp_path, proof, proof, max_drop=1.0)
    for name, kind in KINDS.items():
        manifest = read_manifest(tmp_path / kind.file)
        assert manifest.precision == "int8"
        assert manifest.quantisation is not None
        assert manifest.quantisation.kind == name
        assert "of the train split" in manifest.quantisation.calibrated_on


@pytest.mark.parametrize(
    ("limits", "max_drop", "named"),
    [
        ({"flipped": 1.0}, -2.0, "loss of IoU with the true masks is "),
        ({"flipped": -1.0}, 1.0, "share of mask pixels that flip is "),
    ],
)
def test_a_gate_that_cannot_be_held_is_named_and_leaves_nothing(
    network: nn.Module,
    fixed: Manifest,
    proof: Proof,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    limits: dict[str, float],
    max_drop: float,
    named: str,
) -> None:
    monkeypatch.setitem(artefacts.LIMITS, "int8", limits)
    with pytest.raises(ParityError, match=named) as caught:
        export_int8(network, fixed, tmp_path, proof, proof, max_drop)
    for told in ("model.int8.onnx differs", "export without --int8", "--max-drop", "evidence lies"):
        assert told in str(caught.value)
    assert [path.suffix for path in tmp_path.iterdir()] == [".failed"]


@pytest.mark.skipif(load_library("tensorrt_rtx") is None, reason="no TensorRT for RTX here")
def test_tensorrt_builds_its_kind_and_is_not_given_the_other(
    network: nn.Module, fixed: Manifest, proof: Proof, tmp_path: Path
) -> None:
    export_int8(network, fixed, tmp_path, proof, proof, max_drop=1.0)
    built = build_engine(plan_engine(tmp_path / KINDS["tensorrt"].file, "tensorrt-rtx"))
    assert ".int8." in built.name
    with pytest.raises(ModelError, match=r"INT8 graph for CPUs.*model.int8.tensorrt.onnx instead"):
        build_engine(plan_engine(tmp_path / KINDS["cpu"].file, "tensorrt-rtx"))
