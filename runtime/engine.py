"""Graph -> engine, with TensorRT or TensorRT for RTX, on the machine that will run it.

The one builder of the project: `flood-runtime build`, `python -m export --engine` and an engine
that does not fit its machine all come here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import Progress

from runtime.certificate import certificate_line, certificate_path, write_certificate
from runtime.console import say
from runtime.engine_cache import cache_path, give_timings, keep_timings
from runtime.engine_golden import golden_for
from runtime.engine_network import configure, count_half, count_half_built, fix_size, parse_graph
from runtime.engine_plan import Plan
from runtime.engine_progress import BuildState, progress_monitor, started
from runtime.engine_proof import prove_engine
from runtime.errors import ModelError
from runtime.files import atomic_paths
from runtime.golden import golden_path, pack_golden
from runtime.half import check_share
from runtime.manifest_file import manifest_path, seal
from runtime.stopping import Stop, stop_on_signals

if TYPE_CHECKING:
    import tensorrt

POLL_S = 0.1


def build_engine(plan: Plan) -> Path:
    """Builds a planned engine with its manifest, golden frames and certificate, and returns the
    engine's path.

    Ctrl-C or SIGTERM ends the build and leaves nothing. Raises ModelError for a graph that the
    builder does not take and for an FP16 engine that is not, ParityError for an engine that gives
    other masks than its graph, BackendError where the builder does not start, SinkError.
    """
    library = f"{plan.dialect.library} {plan.trt.__version__}"
    cached = cache_path(plan.dialect, plan.trt.__version__, plan.gpu) is not None
    say(
        f"building {plan.engine.name} with {library}; minutes are normal on a small device"
        f"{', and the next build is faster' if cached else ''}"
    )
    golden = golden_for(plan.graph, plan.manifest, plan.engine)  # before the minutes that follow
    beside = [manifest_path(plan.engine), *([golden_path(plan.engine)] if golden else [])]
    files = atomic_paths(plan.engine, *beside)
    with stop_on_signals() as stop, files as (temporary, contract, *answers):
        content, counts = _build(plan, stop)
        temporary.write_bytes(content)
        certificate = prove_engine(plan, temporary, golden)
        halves = {**plan.manifest.half_layers, **counts}
        manifest = dataclasses.replace(plan.manifest, half_layers=halves)
        sealed = seal(manifest, temporary, contract)
        if golden is not None:
            answers[0].write_bytes(pack_golden(golden))
    write_certificate(certificate, certificate_path(plan.engine))
    say(certificate_line(plan.engine, sealed))
    return plan.engine


def _build(plan: Plan, stop: Stop) -> tuple[bytes, dict[str, tuple[int, int]]]:
    """The serialised engine, and how many of its layers are half where it has to be FP16."""
    state, trt, dialect = BuildState(), plan.trt, plan.dialect
    builder: tensorrt.Builder = started(trt, "Builder", state)
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
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
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
