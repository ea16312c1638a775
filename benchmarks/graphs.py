"""Exported graphs at other sizes and batches, and the multiply-adds that they take."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import onnx

from export.graph import to_bytes
from runtime.errors import ModelError
from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest, write_manifest

WEIGHTED = ("Conv", "ConvTranspose", "MatMul", "Gemm")


def find_artefacts(place: Path) -> dict[str, Path]:
    """The graphs of an export folder, or a single one: "fp32", "fp16", "int8" for CPUs and
    "int8-tensorrt" -> file, whatever the files are called. Raises ModelError."""
    files = [place] if place.is_file() else sorted(place.glob("[!.]*.onnx"))  # none half written
    found = {_key(read_manifest(path)): path for path in files}
    if not found:
        raise ModelError(f"{place} holds no .onnx file; make some with 'python -m export --fp16'")
    return found


def resize(artefacts: dict[str, Path], batch: int, size: tuple[int, int], folder: Path) -> None:
    """Writes each graph into the folder for this batch and size, as KEY.onnx with a manifest.

    A graph that holds its size in constants is left out, except at its own size and batch.
    """
    for key, path in artefacts.items():
        manifest = read_manifest(path)
        own = (manifest.batch, manifest.input_size) == (batch, size)
        target = folder / f"{key}.onnx"
        try:
            graph = onnx.load(path)
            target.write_bytes(to_bytes(graph if own else reshaped(graph, batch, size)))
        except ModelError:
            continue
        changed = dataclasses.replace(manifest, batch=batch, input_size=size, dynamic_size=False)
        write_manifest(changed, target)


def reshaped(graph: onnx.ModelProto, batch: int, size: tuple[int, int]) -> onnx.ModelProto:
    """The same graph for this batch and (height, width): a convolution holds no size.

    Raises ModelError for a graph that does hold one.
    """
    changed = onnx.ModelProto.FromString(graph.SerializeToString())
    sides = {changed.graph.input[0].name: (batch, *size, 3)}
    sides[changed.graph.output[0].name] = (batch, 1, *size)
    for value in (changed.graph.input[0], changed.graph.output[0]):
        for dimension, side in zip(
            value.type.tensor_type.shape.dim, sides[value.name], strict=True
        ):
            dimension.dim_value = side
    del changed.graph.value_info[:]
    try:
        return onnx.shape_inference.infer_shapes(changed, strict_mode=True, data_prop=True)
    except onnx.shape_inference.InferenceError as error:
        raise ModelError(
            f"this graph cannot be timed at {size[0]}x{size[1]}, batch {batch}: it holds the size "
            "that it was exported at; export it anew with --size and --batch"
        ) from error


def multiply_adds(graph: onnx.ModelProto) -> int:
    """Multiply-adds of one run of a graph of fixed size, counted from its layers' shapes."""
    inferred = onnx.shape_inference.infer_shapes(graph, data_prop=True).graph
    shapes = {weight.name: tuple(weight.dims) for weight in inferred.initializer}
    for value in (*inferred.input, *inferred.value_info, *inferred.output):
        shapes[value.name] = tuple(side.dim_value for side in value.type.tensor_type.shape.dim)
    return sum(_layer(node, shapes) for node in inferred.node if node.op_type in WEIGHTED)


def _layer(node: onnx.NodeProto, shapes: dict[str, tuple[int, ...]]) -> int:
    weights = shapes[node.input[1]]
    if node.op_type == "ConvTranspose":  # each input value meets its whole kernel
        return math.prod(shapes[node.input[0]]) * math.prod(weights[1:])
    if node.op_type == "Conv":
        return math.prod(shapes[node.output[0]]) * math.prod(weights[1:])
    inner = shapes[node.input[0]][-1]
    return math.prod(shapes[node.output[0]]) * inner


def _key(manifest: Manifest) -> str:
    kind = manifest.quantisation.kind if manifest.quantisation else "cpu"
    return manifest.precision if kind == "cpu" else f"{manifest.precision}-{kind}"
