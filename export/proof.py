"""What an artefact has to show: the reference's logits on real frames."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from torch import nn

from export.frames import ProofFrames
from export.graph import to_bytes
from export.parity import Parity, compare
from export.reference import model_logits, reference_logits
from runtime.backends import load_backend
from runtime.manifest import Manifest
from runtime.model import Model

BACKENDS = {".onnx": "onnxruntime"}
"""Suffix -> the backend that judges it, whatever else is installed; others choose themselves."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Frames, and what PyTorch in float32 makes of them."""

    frames: ProofFrames
    reference: NDArray[np.float32]

    def measure(self, artefact: Path, manifest: Manifest) -> Parity:
        """Runs an artefact on the frames. Raises ModelError or BackendError."""
        backend = load_backend(artefact, manifest, BACKENDS.get(artefact.suffix, "auto"))
        with Model(manifest, backend) as model:
            candidate = model_logits(model, self.frames.inputs)
        return compare(self.reference, candidate, manifest.threshold, self.frames.truth)

    def measure_graph(self, graph: onnx.ModelProto, manifest: Manifest) -> Parity:
        """Runs a graph that has no file yet."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            path.write_bytes(to_bytes(graph))
            return self.measure(path, manifest)


def prove(network: nn.Module, manifest: Manifest, frames: ProofFrames) -> Proof:
    """The reference's logits on these frames."""
    return Proof(frames=frames, reference=reference_logits(network, manifest, frames.inputs))
