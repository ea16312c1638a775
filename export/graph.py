"""Weights -> ONNX graph: `uint8 NHWC RGB in -> float32 logits out`, normalisation inside."""

from __future__ import annotations

import ast
import copy
import itertools
from typing import Any

import onnx
import torch
from google.protobuf.message import EncodeError
from torch import Tensor, nn

from runtime.errors import ModelError
from runtime.manifest import INPUT_NAME, OUTPUT_NAME, Manifest
from train.models import find_kind

OPSET = 18
"""What torch's exporter writes without conversion; TensorRT 10.3 (JetPack 6) reads up to 20."""
IR_VERSION = 8
"""The oldest file format that carries opset 18, for old ONNX Runtimes on old devices."""
SCOPES = "pkg.torch.onnx.name_scopes"
TWO_GIBIBYTES = 2**31


class ExportedNetwork(nn.Module):
    """A network as it is exported: with its normalisation, and with float32 logits.

    dtype: what weights and activations are. Normalisation is float32 for every dtype: in half,
    255 levels times 1/std would be rounded twice before the first convolution, and three channels
    cost nothing. The cast comes first, because TensorRT lets a uint8 input feed nothing else.
    Input (N, h, w, 3) uint8 RGB; output (N, 1, h, w) float32.
    """

    offset: Tensor
    scale: Tensor

    def __init__(
        self, network: nn.Module, manifest: Manifest, dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).to(dtype)
        self.dtype = dtype
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in (manifest.mean, manifest.std))
        self.register_buffer("offset", 255.0 * mean)
        self.register_buffer("scale", 1.0 / (255.0 * std))
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        pictures = inputs.float().permute(0, 3, 1, 2)
        normalised = (pictures - self.offset) * self.scale
        logits: Tensor = self.network(normalised.to(self.dtype))
        return logits.float()


def trace(network: ExportedNetwork, manifest: Manifest) -> onnx.ModelProto:
    """The network as a clean graph of the manifest's input size and batch, either of which may be
    free: a batch of 0 is any number of frames, dynamic_size any sides that the network takes.

    Shapes are inferred, constants folded, dead nodes removed, every node named after its layer,
    and nothing in the file says where or when it was made. Raises ModelError.
    """
    check_weights(network)
    height, width = manifest.input_size
    multiple = find_kind(manifest.model).sizes.multiple
    # An example batch of 1 would be taken for a constant, so a free batch is traced with 2.
    # The same holds for a free side of one multiple.
    if manifest.dynamic_size:
        height, width = max(height, 2 * multiple), max(width, 2 * multiple)
    example = torch.zeros(manifest.batch or 2, height, width, 3, dtype=torch.uint8)
    free = {} if manifest.batch else {0: torch.export.Dim("batch")}
    if manifest.dynamic_size:
        rows, columns = torch.export.Dim("rows"), torch.export.Dim("columns")
        free |= {1: multiple * rows, 2: multiple * columns}
    program = torch.onnx.export(
        network,
        (example,),
        dynamo=True,
        opset_version=OPSET,
        input_names=[INPUT_NAME],
        output_names=[OUTPUT_NAME],
        dynamic_shapes=(free,) if free else None,
        external_data=False,
        verbose=False,
    )
    if program is None:
        raise ModelError("torch gave no graph for this network; export a network of this project")
    return tidy(program.model_proto)


def tidy(graph: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph under its layers' names, without stack traces and other traces of the machine.

    Raises ModelError when the result is too large for a file or not a valid graph.
    """
    names: set[str] = set()
    for node in graph.graph.node:
        node.name = _unused(_layer_name(node), names)
        names.add(node.name)
        _forget(node)
    weights = {weight.name for weight in graph.graph.initializer}
    activations = [value for value in graph.graph.value_info if value.name not in weights]
    del graph.graph.value_info[:]
    graph.graph.value_info.extend(activations)
    for part in (
        graph,
        graph.graph,
        *graph.graph.input,
        *graph.graph.output,
        *graph.graph.initializer,
        *graph.graph.value_info,
    ):
        _forget(part)
    try:
        _check_size(graph.ByteSize())
    except EncodeError:  # protobuf does not even count beyond its own limit
        _check_size(TWO_GIBIBYTES)
    graph.ir_version = IR_VERSION
    graph.producer_version = torch.__version__.split("+")[0]
    try:
        onnx.checker.check_model(graph, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ModelError(f"the exported graph is not valid ONNX ({error})") from error
    return graph


def to_bytes(graph: onnx.ModelProto) -> bytes:
    """One file with the weights inside; the same graph gives the same bytes."""
    return bytes(graph.SerializeToString(deterministic=True))


def check_weights(network: nn.Module) -> None:
    """Raises ModelError for weights that no ONNX file can hold."""
    _check_size(sum(weight.numel() * weight.element_size() for weight in network.parameters()))


def _check_size(size: int) -> None:
    # Beyond it neither the checker nor the serialiser of protobuf works, each with its own error.
    if size >= TWO_GIBIBYTES:
        raise ModelError(
            f"this network has {size / 2**30:.1f} GiB, an ONNX file holds less than 2; "
            "train a smaller one, by --width or --model"
        )


def _layer_name(node: onnx.NodeProto) -> str:
    """`features.0`, `layer5.2`; what belongs to no layer keeps its own name (`permute`, `cat`)."""
    scopes = {entry.key: entry.value for entry in node.metadata_props}.get(SCOPES, "[]")
    path = [scope.removeprefix("network").removeprefix(".") for scope in ast.literal_eval(scopes)]
    modules = [scope for scope in path[:-1] if scope]
    return str(modules[-1] if modules else (path or [node.name])[-1].strip("_"))


def _unused(name: str, names: set[str]) -> str:
    """`pool`, and `pool_2` where a layer runs twice or consists of several nodes."""
    numbered = (f"{name}_{number}" for number in itertools.count(2))
    return next(each for each in itertools.chain([name], numbered) if each not in names)


def _forget(part: Any) -> None:
    del part.metadata_props[:]
    part.doc_string = ""
