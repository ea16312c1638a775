"""Graph -> engine, with TensorRT or TensorRT for RTX, on the machine that will run it.

The one builder of the project: `flood-runtime build` and `python -m export --engine` call it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import os
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import Progress

from runtime.console import say
from runtime.engine_binding import bind, engine_name
from runtime.engine_progress import BuildState, error_collector, progress_monitor
from runtime.engine_versions import Dialect, dialect_of
from runtime.errors import BackendError, ModelError
from runtime.files import atomic_path, sha256, write_bytes
from runtime.gpu import Gpu, current_gpu
from runtime.manifest import INPUT_NAME, Manifest, read_manifest, write_manifest

if TYPE_CHECKING:
    import tensorrt

LIBRARIES = {"tensorrt": "tensorrt", "tensorrt-rtx": "tensorrt_rtx"}
"""What the command line calls a builder, and the module it is in."""
GRAPHS = {"fp32": "model.onnx", "fp16": "model.fp16.onnx"}
BATCHES = (1, 4, 16)
"""Smallest, usual and largest batch of an engine from a graph with a free batch."""
POLL_S = 0.1


def find_builder(name: str = "auto") -> tuple[Any, Dialect, Gpu | None]:
    """An installed builder that can work here: its module, its dialect, and the GPU.

    name: of LIBRARIES, or "auto" for the first that needs nothing that is missing here, where a
    GPU counts as needed. Raises BackendError with what is missing.
    """
    gpu = current_gpu()
    missing: list[str] = []
    for choice in LIBRARIES if name == "auto" else (name,):
        if choice not in LIBRARIES:
            raise BackendError(f"no builder '{choice}'; choose from: auto, {', '.join(LIBRARIES)}")
        trt = _load(LIBRARIES[choice])
        if trt is None:
            missing.append(f"{choice} is not installed")
            continue
        dialect = dialect_of(LIBRARIES[choice], trt.__version__)
        if gpu is None and (dialect.needs_gpu or name == "auto"):
            missing.append(f"{choice} found no NVIDIA GPU")
            continue
        return trt, dialect, gpu
    raise BackendError(
        f"no engine can be built here: {', '.join(missing)}; "
        "build it on the device with: flood-runtime build MODEL.onnx"
    )


def build_engine(graph: Path, builder: str = "auto", folder: Path | None = None) -> Path:
    """Builds the engine of an exported graph and its manifest, and returns the engine's path.

    folder: where to, by default beside the graph. A Ctrl-C ends the build and leaves nothing.
    Raises BackendError without a builder, ManifestError or ModelError for the graph, SinkError.
    """
    manifest = read_manifest(graph)
    if for_cpus_only(manifest):
        raise ModelError(
            f"{graph} is the INT8 graph for CPUs, which TensorRT cannot read; build "
            f"{graph.with_name('model.int8.tensorrt.onnx')} instead"
        )
    trt, dialect, gpu = find_builder(builder)
    source = _source_graph(graph, manifest, dialect)
    binding = bind(dialect.library, trt.__version__, gpu, sha256(source))
    engine = (folder or graph.parent) / engine_name(graph, manifest.precision, binding)
    say(
        f"building {engine.name} with {dialect.library} {trt.__version__}; "
        "minutes are normal on a small device, and the next build is faster"
    )
    with atomic_path(engine) as temporary:
        content, counts = _build(trt, dialect, gpu, source, manifest)
        temporary.write_bytes(content)
    sealed = dataclasses.replace(
        manifest, engine=binding, half_layers={**manifest.half_layers, **counts}
    )
    write_manifest(sealed, engine)
    return engine


def for_cpus_only(manifest: Manifest) -> bool:
    """Whether a graph has unsigned 8-bit activations, which TensorRT's parser refuses."""
    return manifest.quantisation is not None and manifest.quantisation.kind == "cpu"


def _build(
    trt: Any, dialect: Dialect, gpu: Gpu | None, source: Path, manifest: Manifest
) -> tuple[bytes, dict[str, tuple[int, int]]]:
    """The serialised engine, and the half layers of the parsed network where the graph decides."""
    state = BuildState()
    builder: tensorrt.Builder = trt.Builder(error_collector(trt, state))
    network = parse_graph(trt, builder, dialect, source, state)
    counts: dict[str, tuple[int, int]] = {}
    if manifest.precision == "fp16" and not dialect.precision_flags["fp16"]:
        counts["tensorrt"] = count_half(trt, network)
    config = configure(trt, builder, dialect, manifest, gpu)
    cache = _load_timing_cache(trt, config, dialect, gpu)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        config.progress_monitor = progress_monitor(trt, progress, state)
        plan = _wait(builder, network, config, state)
    if plan is None:
        reason = state.errors[0] if state.errors else "the builder gave no reason"
        raise ModelError(f"{dialect.library} {trt.__version__} cannot build {source}: {reason}")
    if cache is not None:
        write_bytes(cache, bytes(config.get_timing_cache().serialize()))
    return bytes(plan), counts


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


def free_memory() -> int:
    """Bytes that programs can still have, by Linux' own estimate."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 2**31


def _wait(builder: Any, network: Any, config: Any, state: BuildState) -> Any:
    """Builds in a second thread, so that Ctrl-C reaches this one while the builder computes."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(builder.build_serialized_network, network, config)
        try:
            while True:
                try:
                    return future.result(timeout=POLL_S)
                except NotYet:
                    continue
        except KeyboardInterrupt:
            state.cancelled = True
            say("ending the build ...")
            raise


def _source_graph(graph: Path, manifest: Manifest, dialect: Dialect) -> Path:
    """The file to build from: versions that are told precision by flags want the FP32 graph."""
    if manifest.precision != "fp16" or dialect.fp16_graph == "fp16":
        return graph
    source = graph.with_name(GRAPHS[dialect.fp16_graph])
    wanted = manifest.provenance.checkpoint_sha256
    if not source.is_file() or read_manifest(source).provenance.checkpoint_sha256 != wanted:
        raise ModelError(
            f"this {dialect.library} makes FP16 engines from the FP32 graph, and {source} of the "
            "same checkpoint is not there; copy it beside the other"
        )
    return source


def _load_timing_cache(trt: Any, config: Any, dialect: Dialect, gpu: Gpu | None) -> Path | None:
    """Gives the builder the timings of earlier builds; returns where the new ones belong."""
    if not dialect.timing_cache or gpu is None:
        return None
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    name = f"{dialect.library}-{trt.__version__}-sm{gpu.compute_capability}.timing"
    path = home / "flood-runtime" / name
    known = path.read_bytes() if path.is_file() else b""
    config.set_timing_cache(config.create_timing_cache(known), ignore_mismatch=False)
    return path


def _load(module: str) -> Any | None:
    try:
        trt = importlib.import_module(module)
    except (ImportError, OSError):
        return None
    # Type stubs alone also import, as an empty package.
    return trt if hasattr(trt, "__version__") else None
