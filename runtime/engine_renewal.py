"""An engine that does not fit this machine any more, and the graph beside it that makes one."""

from __future__ import annotations

from pathlib import Path

from runtime.console import say
from runtime.engine import build_engine
from runtime.engine_binding import check_binding, graph_of
from runtime.engine_library import library_of
from runtime.engine_plan import Plan, plan_engine
from runtime.errors import FloodError, ModelError
from runtime.gpu import current_gpu
from runtime.manifest_file import read_manifest


def fitting_engine(engine: Path) -> Path:
    """The engine itself where it fits this machine and the graph beside it; else the one that was
    or is now built from that graph, after one line that says why.

    Without a GPU, the library or the graph the engine itself is returned, and the backend says
    what is wrong. Raises ManifestError for a damaged engine, and what build_engine raises.
    """
    manifest = read_manifest(engine)
    gpu, graph = current_gpu(), graph_of(engine, manifest.precision)
    if manifest.engine is None or gpu is None or graph is None:
        return engine
    found = library_of(manifest.engine)
    if found is None:
        return engine
    builder, library = found
    try:
        check_binding(engine, manifest, library.__name__, library.__version__, gpu)
    except ModelError as misfit:
        size = manifest.input_size if read_manifest(graph).dynamic_size else None
        return _renew(plan_engine(graph, builder, engine.parent, size), str(misfit))
    return engine


def _renew(plan: Plan, misfit: str) -> Path:
    reason = misfit.split("; rebuild it with")[0]
    if _is_built(plan):
        say(f"{reason}; taking {plan.engine.name}, which fits")
        return plan.engine
    say(f"{reason}; building it anew from {plan.graph.name} (--no-rebuild refuses it instead)")
    return build_engine(plan)


def _is_built(plan: Plan) -> bool:
    try:
        return read_manifest(plan.engine).engine == plan.binding
    except FloodError:
        return False
