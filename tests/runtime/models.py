"""A real, small artefact with the contract: logits = (blue - red) / 32, as the fake backend."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from runtime.manifest import Manifest
from runtime.manifest_file import write_manifest
from runtime.manifest_parts import Provenance, TrainedOn

SIZE = (32, 48)


def manifest_of(size: tuple[int, int] = SIZE, batch: int = 0, **changes: object) -> Manifest:
    """A valid manifest; its artefact hash is set when it is written."""
    manifest = Manifest(
        schema=1,
        model="blue-minus-red",
        width=1.0,
        input_size=size,
        batch=batch,
        resize="linear",
        colour_order="RGB",
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        threshold=0.5,
        class_names=("land", "water"),
        precision="fp32",
        trained_on=TrainedOn(
            dataset="none", fingerprint="0" * 64, split="no split", scores={"iou": 0.5}
        ),
        provenance=Provenance(checkpoint_sha256="0" * 64, tools={"onnx": onnx.__version__}),
        artefact_sha256="0" * 64,
    )
    return dataclasses.replace(manifest, **changes)  # type: ignore[arg-type]


def graph(
    size: tuple[int, int] = SIZE,
    batch: int = 0,
    input_name: str = "input",
    output_name: str = "logits",
    input_type: int = TensorProto.UINT8,
) -> onnx.ModelProto:
    """(N, h, w, 3) uint8 -> Cast -> (blue - red) / 32 -> (N, 1, h, w) float32."""
    sides = [batch or "batch", *size]
    nodes = [
        helper.make_node("Cast", [input_name], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Split", ["planes"], ["red", "green", "blue"], axis=1, num_outputs=3),
        helper.make_node("Sub", ["blue", "red"], ["difference"]),
        helper.make_node("Div", ["difference", "scale"], [output_name]),
    ]
    inputs = [helper.make_tensor_value_info(input_name, input_type, [*sides, 3])]
    outputs = [
        helper.make_tensor_value_info(output_name, TensorProto.FLOAT, [sides[0], 1, *sides[1:]])
    ]
    scale = helper.make_tensor("scale", TensorProto.FLOAT, [], [32.0])
    built = helper.make_graph(nodes, "blue_minus_red", inputs, outputs, [scale])
    model = helper.make_model(built, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def write_model(
    path: Path, model: onnx.ModelProto | None = None, manifest: Manifest | None = None
) -> Path:
    """Writes a graph with its manifest and returns the graph's path."""
    path.write_bytes((model or graph()).SerializeToString())
    write_manifest(manifest or manifest_of(), path)
    return path
