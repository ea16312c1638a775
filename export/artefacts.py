"""Checkpoint -> artefacts, each proved against its checkpoint before it gets its name."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from export.frames import ProofFrames
from export.graph import ExportedNetwork, to_bytes, trace
from export.half import activation_ranges, check_ranges, check_share, half_layers
from export.parity import LIMITS, Parity, check, compare
from export.reference import model_logits, reference_logits
from runtime.backends import load_backend
from runtime.files import atomic_path
from runtime.manifest import Manifest, Provenance, write_manifest
from runtime.model import Model

FILES = {"fp32": "model.onnx", "fp16": "model.fp16.onnx"}
"""Precision -> file name in the export folder."""
DTYPES = {"fp32": torch.float32, "fp16": torch.float16}
TOOLS = ("torch", "onnx", "onnxscript", "onnxruntime")


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What every artefact of one checkpoint has to show: these logits on these frames."""

    frames: ProofFrames
    reference: NDArray[np.float32]

    def measure(self, artefact: Path, manifest: Manifest) -> Parity:
        """Runs an artefact on the frames. Raises ModelError or BackendError."""
        with Model(manifest, load_backend(artefact, manifest)) as model:
            candidate = model_logits(model, self.frames.inputs)
        return compare(self.reference, candidate, manifest.threshold, self.frames.truth)


@dataclass(frozen=True, kw_only=True)
class Exported:
    """One finished artefact."""

    path: Path
    manifest: Manifest
    parity: Parity


def prepare_manifest(checkpoint: Manifest, input_size: tuple[int, int], batch: int) -> Manifest:
    """The checkpoint's manifest with what is decided at export: size, batch and tools."""
    tools = {name: version(name) for name in TOOLS}
    provenance = Provenance(
        checkpoint_sha256=checkpoint.artefact_sha256, tools=checkpoint.provenance.tools | tools
    )
    return dataclasses.replace(
        checkpoint, input_size=input_size, batch=batch, provenance=provenance
    )


def prove(network: nn.Module, manifest: Manifest, frames: ProofFrames) -> Proof:
    """The reference's logits on these frames."""
    return Proof(frames=frames, reference=reference_logits(network, manifest, frames.inputs))


def export_graph(
    network: nn.Module, manifest: Manifest, precision: str, folder: Path, proof: Proof
) -> Exported:
    """Writes one graph with its manifest, once it has passed its precision's limits.

    Raises ParityError when it does not, SinkError when the folder cannot be written; then nothing
    of it is left.
    """
    path = folder / FILES[precision]
    manifest = dataclasses.replace(manifest, precision=precision)
    if precision == "fp16":
        check_ranges(activation_ranges(network, manifest, proof.frames.inputs))
    graph = trace(ExportedNetwork(network, manifest, DTYPES[precision]), manifest)
    if precision == "fp16":
        manifest = dataclasses.replace(manifest, half_layers={"graph": half_layers(graph)})
        check_share(manifest.half_layers, path.name)
    with atomic_path(path) as temporary:
        temporary.write_bytes(to_bytes(graph))
        parity = proof.measure(temporary, manifest)
        check(parity, LIMITS[precision], path.name)
    return Exported(path=path, manifest=write_manifest(manifest, path), parity=parity)
