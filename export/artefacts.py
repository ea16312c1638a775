"""Checkpoint -> artefacts, each proved against its checkpoint before it gets its name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import onnx
import torch
from torch import nn

from export.calibration import calibrate
from export.certificate import certify, grant
from export.fold import fold_batch_norms
from export.golden import golden_frames
from export.graph import ExportedNetwork, to_bytes, trace
from export.half import activation_ranges, check_ranges, half_layers, parsed_half_layers
from export.int8 import KINDS
from export.max_drop import quantise_within
from export.parity import LIMITS
from export.proof import Proof
from runtime.certificate import Certificate
from runtime.files import atomic_paths
from runtime.golden import golden_path, pack_golden
from runtime.half import check_share
from runtime.manifest import Manifest
from runtime.manifest_file import manifest_path, seal
from runtime.manifest_parts import Provenance, Quantisation
from train.models import find_kind

FILES = {"fp32": "model.onnx", "fp16": "model.fp16.onnx"}
"""Precision -> file name in the export folder; those of INT8 are in export.int8.KINDS."""
DTYPES = {"fp32": torch.float32, "fp16": torch.float16}
TOOLS = ("torch", "onnx", "onnxscript", "onnxruntime")


@dataclass(frozen=True, kw_only=True)
class Exported:
    """One finished artefact, what was measured of it, and what was allowed."""

    path: Path
    manifest: Manifest
    certificate: Certificate


def prepare_manifest(
    checkpoint: Manifest,
    input_size: tuple[int, int],
    batch: int,
    dynamic_size: bool = False,
    threshold: float | None = None,
) -> Manifest:
    """The checkpoint's manifest with what is decided at export: size, batch, tools, and the
    threshold, where it is not the checkpoint's."""
    tools = {name: version(name) for name in TOOLS}
    provenance = Provenance(
        checkpoint_sha256=checkpoint.artefact_sha256, tools=checkpoint.provenance.tools | tools
    )
    return dataclasses.replace(
        checkpoint,
        input_size=input_size,
        sizes=find_kind(checkpoint.model).sizes,
        batch=batch,
        dynamic_size=dynamic_size,
        threshold=checkpoint.threshold if threshold is None else threshold,
        provenance=provenance,
    )


def export_graph(
    network: nn.Module, manifest: Manifest, precision: str, folder: Path, proof: Proof
) -> Exported:
    """Writes an FP32 or FP16 graph with its manifest, once it has passed its precision's limits.

    Raises ParityError when it does not, ModelError when FP16 would overflow or is not FP16,
    SinkError when the folder cannot be written; then nothing is left of it but the evidence.
    """
    path = folder / FILES[precision]
    manifest = dataclasses.replace(manifest, precision=precision)
    network = fold_batch_norms(network, manifest)
    if precision == "fp16":
        check_ranges(activation_ranges(network, manifest, proof.frames.inputs))
    graph = trace(ExportedNetwork(network, manifest, DTYPES[precision]), manifest)
    if precision == "fp16":
        counts = {"graph": half_layers(graph), **parsed_half_layers(graph)}
        manifest = dataclasses.replace(manifest, half_layers=counts)
        check_share(manifest.half_layers, path.name)
    return _finish(path, graph, manifest, proof, LIMITS[precision])


def export_int8(
    network: nn.Module,
    manifest: Manifest,
    folder: Path,
    proof: Proof,
    calibration: Proof,
    max_drop: float,
) -> list[Exported]:
    """Writes the INT8 graphs of both kinds. max_drop: IoU that may be lost, 0 to 1.

    Raises ParityError when a graph breaks its limits with half of its layers in float32.
    """
    manifest = dataclasses.replace(manifest, precision="int8")
    limits = {**LIMITS["int8"], "iou_drop": max_drop}
    graph = trace(ExportedNetwork(fold_batch_norms(network, manifest), manifest), manifest)
    ranges = calibrate(KINDS["cpu"].rewrite(graph), calibration.frames.inputs)
    finished = []
    for name, kind in KINDS.items():
        quantisation = Quantisation(
            kind=name, method="", calibrated_on=calibration.frames.origin, kept=()
        )
        trial = dataclasses.replace(manifest, quantisation=quantisation)
        done = quantise_within(kind.rewrite(graph), kind, trial, ranges, calibration, proof, limits)
        quantisation = dataclasses.replace(quantisation, method=done.method, kept=done.kept)
        described = dataclasses.replace(manifest, quantisation=quantisation)
        finished.append(_finish(folder / kind.file, done.graph, described, proof, limits))
    return finished


def _finish(
    path: Path,
    graph: onnx.ModelProto,
    manifest: Manifest,
    proof: Proof,
    limits: Mapping[str, float],
) -> Exported:
    parts = atomic_paths(path, manifest_path(path), golden_path(path))
    with parts as (temporary, contract, golden):
        temporary.write_bytes(to_bytes(graph))
        verdict = certify(path, temporary, manifest, proof, limits)
        if verdict.error is not None:
            raise verdict.error
        sealed = seal(manifest, temporary, contract)
        golden.write_bytes(pack_golden(golden_frames(temporary, manifest)))
    return Exported(path=path, manifest=sealed, certificate=grant(verdict, path))
