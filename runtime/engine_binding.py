"""What an engine is bound to, and whether this machine is that."""

from __future__ import annotations

import re
from pathlib import Path

from runtime.errors import ModelError
from runtime.files import sha256
from runtime.gpu import Gpu
from runtime.manifest import EngineBinding, Manifest

ANY_GPU = "any"
"""Name and compute capability in the binding of an engine that was built ahead of time."""


def bind(library: str, version: str, gpu: Gpu | None, source_sha256: str) -> EngineBinding:
    """The binding of an engine that is built now; without a GPU it is for any of them."""
    return EngineBinding(
        library=library,
        version=version,
        gpu=gpu.name if gpu else ANY_GPU,
        compute_capability=gpu.compute_capability if gpu else ANY_GPU,
        driver=gpu.driver if gpu else ANY_GPU,
        source_sha256=source_sha256,
    )


def engine_name(graph: Path, precision: str, binding: EngineBinding) -> str:
    """`model.fp16.onnx` -> `model.fp16.tensorrt-10.3.0.orin.sm87.driver12.6.1a2b3c4d.engine`."""
    name = graph.name.split(".")[0]
    gpu = re.sub(r"[^a-z0-9]+", "-", binding.gpu.lower()).strip("-")
    capability = binding.compute_capability.replace(".", "")
    library = f"{binding.library.replace('_', '-')}-{binding.version}"
    bound = (f"sm{capability}", f"driver{binding.driver}", binding.source_sha256[:8])
    return ".".join((name, precision, library, gpu, *bound, "engine"))


def check_binding(
    engine: Path, manifest: Manifest, version: str, gpu: Gpu | None, graph: Path | None
) -> None:
    """Raises ModelError, with what differs and the command that rebuilds it, unless an engine was
    built for this library version and this GPU, from the graph that lies beside it (if any)."""
    bound = manifest.engine
    if bound is None:
        raise ModelError(f"{engine} has no binding in its manifest; build it with flood-runtime")
    facts = [(bound.library, bound.version, version)]
    if bound.gpu != ANY_GPU:
        facts += [
            ("GPU", bound.gpu, gpu.name if gpu else "none"),
            (
                "compute capability",
                bound.compute_capability,
                gpu.compute_capability if gpu else "none",
            ),
            ("driver", bound.driver, gpu.driver if gpu else "none"),
        ]
    if graph is not None:
        facts.append(("source graph", bound.source_sha256[:12], sha256(graph)[:12]))
    for what, built_for, here in facts:
        if built_for != here:
            raise ModelError(
                f"{engine} was built for {what} {built_for}, here it is {here}; rebuild it with: "
                f"flood-runtime build {graph or 'MODEL.onnx'}"
            )
