"""What building an engine here would give: which library, graph, manifest and file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.engine_binding import bind, engine_name, graph_of
from runtime.engine_library import find_builder
from runtime.engine_versions import Dialect
from runtime.errors import ModelError
from runtime.files import sha256
from runtime.gpu import Gpu
from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest
from runtime.manifest_parts import EngineBinding


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


def for_cpus_only(manifest: Manifest) -> bool:
    """Whether a graph has unsigned 8-bit activations, which TensorRT's parser refuses."""
    return manifest.quantisation is not None and manifest.quantisation.kind == "cpu"


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
