"""Graph -> network and configuration, as a builder wants them, and how much of it is half."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runtime.backends.checks import Tensor, check_tensors
from runtime.engine_progress import BuildState, started
from runtime.engine_versions import Dialect
from runtime.errors import ModelError
from runtime.gpu import Gpu
from runtime.manifest import INPUT_NAME, Manifest

if TYPE_CHECKING:
    import tensorrt

BATCHES = (1, 4, 16)
"""Smallest, usual and largest batch of an engine from a graph with a free batch."""
DTYPES = {"UINT8": "uint8", "FLOAT": "float32", "HALF": "float16"}
"""TensorRT's names of types -> NumPy's."""
HALF = re.compile(r"\b(half|fp16)\b", re.IGNORECASE)
"""How engine inspectors of different versions call half precision in "Format/Datatype"."""


def parse_graph(
    trt: Any, builder: tensorrt.Builder, dialect: Dialect, graph: Path, state: BuildState
) -> tensorrt.INetworkDefinition:
    """The network as the builder understands the graph. Raises ModelError."""
    flags = sum(
        1 << int(getattr(trt.NetworkDefinitionCreationFlag, name)) for name in dialect.network_flags
    )
    network = builder.create_network(flags)
    parser: tensorrt.OnnxParser = trt.OnnxParser(network, builder.logger)
    if not parser.parse(graph.read_bytes()):
        errors = [parser.get_error(index).desc() for index in range(parser.num_errors)]
        reason = (errors or state.errors or ["no reason given"])[0]
        raise ModelError(
            f"{dialect.library} {trt.__version__} cannot read {graph}: {reason}; export it anew"
        )
    return network


def fix_size(network: tensorrt.INetworkDefinition, graph: Path, manifest: Manifest) -> None:
    """Gives a network of any size the manifest's: engines of one size are the fastest.

    graph: what the network was parsed from. Raises ModelError where it does not take and give what
    the manifest says.
    """
    wanted = (manifest.batch or -1, *manifest.input_size, 3)
    inputs = [network.get_input(index) for index in range(network.num_inputs)]
    if len(inputs) == 1 and len(inputs[0].shape) == len(wanted):
        free = [side < 0 for side in inputs[0].shape]
        if any(free[1:]):
            sides = zip(free, wanted, inputs[0].shape, strict=True)
            inputs[0].shape = tuple(new if is_free else old for is_free, new, old in sides)
    outputs = [network.get_output(index) for index in range(network.num_outputs)]
    check_tensors(graph, manifest, [*map(_described, inputs)], [*map(_described, outputs)])


def configure(
    trt: Any, builder: tensorrt.Builder, dialect: Dialect, manifest: Manifest, gpu: Gpu | None
) -> tensorrt.IBuilderConfig:
    """Precision, memory and batch sizes of the build."""
    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)  # "FP32" must not round to 10 bits
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    for name in dialect.precision_flags[manifest.precision]:
        config.set_flag(getattr(trt.BuilderFlag, name))
    if gpu is not None and gpu.integrated:
        # GPU and programs share the memory, and taking all of it ends in the kernel's OOM killer.
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, free_memory() // 2)
    if manifest.batch == 0:
        profile = builder.create_optimization_profile()
        profile.set_shape(INPUT_NAME, *((count, *manifest.input_size, 3) for count in BATCHES))
        config.add_optimization_profile(profile)
    return config


def count_half(trt: Any, network: tensorrt.INetworkDefinition) -> tuple[int, int]:
    """How many layers of a parsed network give half-precision results, and how many there are."""
    layers = [network.get_layer(index) for index in range(network.num_layers)]
    return sum(layer.get_output(0).dtype == trt.float16 for layer in layers), len(layers)


def count_half_parsed(trt: Any, dialect: Dialect, graph: Path) -> tuple[int, int]:
    """The same of a graph as this library parses it, without building. Raises ModelError,
    BackendError."""
    state = BuildState()
    builder: tensorrt.Builder = started(trt, "Builder", state)
    return count_half(trt, parse_graph(trt, builder, dialect, graph, state))


def count_half_built(trt: Any, logger: tensorrt.ILogger, plan: bytes) -> tuple[int, int] | None:
    """The same of a finished engine, where precision was only a permission: by its inspector.

    None where the engine cannot be loaded or does not say which types its layers have.
    """
    engine = trt.Runtime(logger).deserialize_cuda_engine(plan)
    if engine is None:
        return None
    inspector: tensorrt.EngineInspector = engine.create_engine_inspector()
    try:
        told = json.loads(inspector.get_engine_information(trt.LayerInformationFormat.JSON))
        layers = [layer for layer in told["Layers"] if isinstance(layer, dict)]
        types = [
            str(layer["Outputs"][0]["Format/Datatype"]) for layer in layers if layer["Outputs"]
        ]
    except (ValueError, KeyError, TypeError, IndexError):
        return None
    return (sum(HALF.search(each) is not None for each in types), len(types)) if types else None


def _described(tensor: tensorrt.ITensor) -> Tensor:
    dtype = tensor.dtype.name
    shape = tuple(None if side < 0 else int(side) for side in tensor.shape)
    return Tensor(tensor.name, DTYPES.get(dtype, dtype.lower()), shape)


def free_memory() -> int:
    """Bytes that programs can still have, by Linux' own estimate."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 2**31
