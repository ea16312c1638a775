"""What an engine is bound to, and whether this machine is that."""

from __future__ import annotations

import re
from pathlib import Path

from runtime.engine_library import LIBRARIES
from runtime.engine_versions import dialect_of
from runtime.errors import ModelError
from runtime.files import sha256
from runtime.gpu import Gpu
from runtime.manifest import Manifest
from runtime.manifest_parts import EngineBinding

ANY_GPU = "any"
"""Name and compute capability in the binding of an engine that was built ahead of time."""
GRAPHS = {"fp32": ".onnx", "fp16": ".fp16.onnx", "int8": ".int8.tensorrt.onnx"}
"""Precision of an engine -> how the name of its graph ends."""
SIZE_IN_NAME = re.compile(r"-\d+x\d+$")
"""How the first part of an engine's name ends where its graph takes any size."""


def bind(library: str, version: str, gpu: Gpu | None, source_sha256: str) -> EngineBinding:
    """The binding of an engine that is built now; without a GPU it is for any of them."""
    return EngineBinding(
        library=library,
        version=version,
        gpu=gpu.name if gpu else ANY_GPU,
        compute_capability=gpu.compute_capability if gpu else ANY_GPU,
        driver=gpu.driver if gpu else ANY_GPU,
        source_sha256=source_sha256,
        driver_version=gpu.driver_version if gpu else None,
    )


def engine_name(graph: Path, manifest: Manifest, binding: EngineBinding) -> str:
    """`model.fp16.onnx` -> `model.fp16.tensorrt-10.3.0.orin.sm87.driver-540.4.0.1a2b3c4d.engine`.

    A graph that takes any size makes one engine per size: `model-384x640.fp16...`.
    """
    name = graph.name.split(".")[0]
    if manifest.dynamic_size:
        name += "-{}x{}".format(*manifest.input_size)
    gpu = re.sub(r"[^a-z0-9]+", "-", binding.gpu.lower()).strip("-")
    driver = re.sub(r"[^a-z0-9.]+", "-", (binding.driver_version or binding.driver).lower())
    capability = binding.compute_capability.replace(".", "")
    library = f"{binding.library.replace('_', '-')}-{binding.version}"
    bound = (f"sm{capability}", f"driver-{driver}", binding.source_sha256[:8])
    return ".".join((name, manifest.precision, library, gpu, *bound, "engine"))


def graph_of(engine: Path, precision: str) -> Path | None:
    """The graph of a precision that lies beside an engine, None where there is none."""
    graph = engine.with_name(SIZE_IN_NAME.sub("", _stem(engine)) + GRAPHS[precision])
    return graph if graph.is_file() else None


def binding_of(engine: Path, manifest: Manifest) -> EngineBinding:
    """What an engine's manifest binds it to. Raises ModelError where that is nothing."""
    if manifest.engine is None:
        raise ModelError(f"{engine} has no binding in its manifest; build it with flood-runtime")
    return manifest.engine


def check_binding(
    engine: Path, manifest: Manifest, library: str, version: str, gpu: Gpu | None
) -> None:
    """Raises ModelError, with what differs and the command that rebuilds it, unless an engine was
    built for this library and version and this GPU, from the graph that lies beside it (if any)."""
    bound = binding_of(engine, manifest)
    facts = [("the library", bound.library, library), (bound.library, bound.version, version)]
    if bound.gpu != ANY_GPU:
        facts += [
            ("GPU", bound.gpu, gpu.name if gpu else "none"),
            (
                "compute capability",
                bound.compute_capability,
                gpu.compute_capability if gpu else "none",
            ),
        ]
        driver = gpu.driver if gpu else "none"
        if not _serves(driver, bound.driver):
            facts.append(("a driver for at least CUDA", bound.driver, driver))
    if source := _source_of(engine, manifest, bound):
        facts.append(("source graph", bound.source_sha256[:12], sha256(source)[:12]))
    for what, built_for, here in facts:
        if built_for != here:
            raise ModelError(
                f"{engine} was built for {what} {built_for}, here it is {here}; rebuild it with: "
                f"{rebuild_command(engine, manifest, library)}"
            )


def driver_remark(engine: Path, manifest: Manifest, gpu: Gpu | None) -> str | None:
    """One line where an engine that fits was built under another driver, which NVIDIA supports
    (docs/devices.md); None where it is the same as far as is known, and ahead of time."""
    bound = manifest.engine
    if bound is None or gpu is None or bound.gpu == ANY_GPU:
        return None
    versions = (bound.driver_version, gpu.driver_version)
    built, here = (
        versions if all(versions) else (f"for CUDA {bound.driver}", f"for CUDA {gpu.driver}")
    )
    if built == here:
        return None
    return (
        f"{engine.name} was built under driver {built}, here it is {here}; it runs, but may not be "
        f"the fastest any more: rebuild it with: {rebuild_command(engine, manifest, bound.library)}"
    )


def rebuild_command(engine: Path, manifest: Manifest, library: str) -> str:
    """What makes this engine anew: of the size in its name, with the builder of a library."""
    words = ["flood-runtime build", str(graph_of(engine, manifest.precision) or "MODEL.onnx")]
    if SIZE_IN_NAME.search(_stem(engine)):
        words.append("--size {}x{}".format(*manifest.input_size))
    if library != LIBRARIES["tensorrt"]:  # which "auto" takes first, and never without a GPU
        words += [f"--builder {name}" for name, module in LIBRARIES.items() if module == library]
    return " ".join(words)


def _serves(driver: str, wanted: str) -> bool:
    """Whether a driver for one CUDA version runs what was built under one for another: drivers are
    backward compatible."""
    try:
        here, built = (tuple(map(int, each.split("."))) for each in (driver, wanted))
    except ValueError:
        return driver == wanted
    return here >= built


def _source_of(engine: Path, manifest: Manifest, bound: EngineBinding) -> Path | None:
    """What the builder read: for FP16 that depends on its version."""
    if manifest.precision != "fp16":
        return graph_of(engine, manifest.precision)
    return graph_of(engine, dialect_of(bound.library, bound.version).fp16_graph)


def _stem(engine: Path) -> str:
    return engine.name.split(".")[0]
