"""Graph -> engine, with TensorRT or TensorRT for RTX, on the machine that will run it.

The one builder of the project: `flood-runtime build`, `python -m export --engine` and an engine
that does not fit its machine all come here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import Progress

from runtime.console import say
from runtime.engine_binding import bind, engine_name, graph_of
from runtime.engine_cache import cache_path, give_timings, keep_timings
from runtime.engine_golden import give_golden
from runtime.engine_library import find_builder
from runtime.engine_network import configure, count_half, count_half_built, fix_size, parse_graph
from runtime.engine_progress import BuildState, error_collector, progress_monitor
from runtime.engine_versions import Dialect
from runtime.errors import ModelError
from runtime.files import atomic_path, sha256
from runtime.gpu import Gpu
from runtime.half import check_share
from runtime.manifest import EngineBinding, Manifest, read_manifest, write_manifest
from runtime.stopping import Stop, stop_on_signals

if TYPE_CHECKING:
    import tensorrt

POLL_S = 0.1


@dataclass(frozen=True, kw_only=True)
class Plan:
    """An engine that can be built here. source: the graph that the builder reads, which is not
    always the one that was named; manifest: of the engine; engine: the file it will be."""

    trt: Any
    dialect: Dialect
    gpu: Gpu | None
    source: Path
    graph: Path
    manifest: Manifest
    binding: EngineBinding
    engine: Path


def plan_engine(
    graph: Path,
    builder: str = "auto",
    folder: Path | None = None,
    input_size: tuple[int, int] | None = None,
) -> Plan:
    """What building an exported graph here would give.

    folder: where to, by default beside the graph. input_size: (height, width), for a graph that
    takes any. Raises BackendError without a builder, ManifestError or ModelError for the graph,
    DataError for a size that its network does not take.
    """
    manifest = read_manifest(graph)
    if for_cpus_only(manifest):
        raise ModelError(
            f"{graph} is the INT8 graph for CPUs, which TensorRT cannot read; build "
            f"{graph.with_name('model.int8.tensorrt.onnx')} instead"
        )
    if input_size is not None:
        manifest = manifest.at_size(input_size)
    trt, dialect, gpu = find_builder(builder)
    source = _source_graph(graph, manifest, dialect)
    binding = bind(dialect.library, trt.__version__, gpu, sha256(source))
    name = engine_name(graph, manifest, binding)
    return Plan(
        trt=trt,
        dialect=dialect,
        gpu=gpu,
        source=source,
        graph=graph,
        manifest=dataclasses.replace(manifest, engine=binding, dynamic_size=False),
        binding=binding,
        engine=(folder or graph.parent) / name,
    )


def build_engine(plan: Plan) -> Path:
    """Builds a planned engine and its manifest, and returns the engine's path.

    Ctrl-C or SIGTERM ends the build and leaves nothing. Raises ModelError for a graph that the
    builder does not take and for an FP16 engine that is not, SinkError.
    """
    library = f"{plan.dialect.library} {plan.trt.__version__}"
    cached = cache_path(plan.dialect, plan.trt.__version__, plan.gpu) is not None
    say(
        f"building {plan.engine.name} with {library}; minutes are normal on a small device"
        f"{', and the next build is faster' if cached else ''}"
    )
    with stop_on_signals() as stop, atomic_path(plan.engine) as temporary:
        content, counts = _build(plan, stop)
        temporary.write_bytes(content)
        give_golden(plan.graph, plan.manifest, plan.engine)
    halves = {**plan.manifest.half_layers, **counts}
    write_manifest(dataclasses.replace(plan.manifest, half_layers=halves), plan.engine)
    return plan.engine


def for_cpus_only(manifest: Manifest) -> bool:
    """Whether a graph has unsigned 8-bit activations, which TensorRT's parser refuses."""
    return manifest.quantisation is not None and manifest.quantisation.kind == "cpu"


def _build(plan: Plan, stop: Stop) -> tuple[bytes, dict[str, tuple[int, int]]]:
    """The serialised engine, and how many of its layers are half where it has to be FP16."""
    state, trt, dialect = BuildState(), plan.trt, plan.dialect
    builder: tensorrt.Builder = trt.Builder(error_collector(trt, state))
    network = parse_graph(trt, builder, dialect, plan.source, state)
    fix_size(network, plan.source, plan.manifest)
    counts: dict[str, tuple[int, int]] = {}
    weakly_typed = bool(dialect.precision_flags["fp16"])
    if plan.manifest.precision == "fp16" and not weakly_typed:
        counts["tensorrt network"] = count_half(trt, network)
        check_share(counts, plan.engine.name)  # before the minutes that building takes
    config = configure(trt, builder, dialect, plan.manifest, plan.gpu)
    cache = cache_path(dialect, trt.__version__, plan.gpu)
    if cache is not None:
        give_timings(config, cache, state)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        config.progress_monitor = progress_monitor(trt, progress, state)
        built = _wait(partial(builder.build_serialized_network, network, config), state, stop)
    if built is None:
        reason = state.errors[0] if state.errors else "the builder gave no reason"
        raise ModelError(
            f"{dialect.library} {trt.__version__} cannot build {plan.source}: {reason}"
        )
    if cache is not None:
        keep_timings(config, cache)
    content = bytes(built)
    if plan.manifest.precision == "fp16" and weakly_typed:
        counts = _count_built(plan, builder, content)
    return content, counts


def _count_built(plan: Plan, builder: Any, content: bytes) -> dict[str, tuple[int, int]]:
    """Half layers of an engine whose builder was free to leave any layer in float32."""
    counted = count_half_built(plan.trt, builder.logger, content)
    if counted is None:
        raise ModelError(
            f"{plan.engine.name} does not say which precision its layers have, so FP16 is not "
            f"proved and it is not kept; build {plan.source} instead, in FP32"
        )
    counts = {"tensorrt engine": counted}
    check_share(counts, plan.engine.name)
    return counts


def _wait(build: Callable[[], Any], state: BuildState, stop: Stop) -> Any:
    """Builds in a second thread, so that this one sees that it shall end: an exception that a
    signal raised could come up within a callback of the builder, which swallows it."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(build)
        while not stop.requested:
            try:
                return future.result(timeout=POLL_S)
            except NotYet:
                continue
        state.cancelled = True
        say("ending the build ...")
        raise KeyboardInterrupt


def _source_graph(graph: Path, manifest: Manifest, dialect: Dialect) -> Path:
    """The file to build from: versions that are told precision by flags want the FP32 graph."""
    if manifest.precision != "fp16" or dialect.fp16_graph == "fp16":
        return graph
    source = graph_of(graph, dialect.fp16_graph)
    wanted = manifest.provenance.checkpoint_sha256
    if source is None or read_manifest(source).provenance.checkpoint_sha256 != wanted:
        raise ModelError(
            f"this {dialect.library} makes FP16 engines from the FP32 graph, and that of the same "
            f"checkpoint does not lie beside {graph}; copy it there"
        )
    return source
