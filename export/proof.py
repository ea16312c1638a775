"""What an artefact has to show: the reference's logits on real frames."""

from __future__ import annotations

import dataclasses
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from torch import nn

from export.frames import ProofFrames, prepare_frames
from export.graph import to_bytes
from export.noise import noise_floor
from export.parity import Parity, compare
from export.preprocessing import prove_preprocessing
from export.reference import model_logits, reference_logits
from runtime.backends import load_backend
from runtime.certificate import Preprocessing
from runtime.manifest import Manifest
from runtime.model import Model
from train.models import find_kind

BACKENDS = {".onnx": "onnxruntime"}
"""Suffix -> the backend that judges it, whatever else is installed; others choose themselves."""
ELSEWHERE = ((0.5, 1.5), (1.25, 0.75))
"""Factors of height and width at which a graph of any size is measured beside its own size."""
FEW = 4


def run_artefact(
    artefact: Path, manifest: Manifest, inputs: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], str]:
    """An artefact's logits of inputs (N, h, w, 3), as (N, 1, h, w), and the name of the backend
    that gave them; the file may have another name than it will have.

    Raises ModelError or BackendError.
    """
    backend = load_backend(artefact, manifest, BACKENDS.get(artefact.suffix, "auto"))
    with Model(manifest, backend) as model:
        return model_logits(model, inputs), backend.name


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Frames, and what PyTorch in float32 makes of them. manifest: of their size and rule."""

    network: nn.Module
    manifest: Manifest
    frames: ProofFrames
    reference: NDArray[np.float32]

    def run(self, artefact: Path, manifest: Manifest) -> tuple[NDArray[np.float32], str]:
        """An artefact's logits of the frames, (N, 1, h, w), and the name of the backend that gave
        them. Raises ModelError or BackendError."""
        return run_artefact(artefact, manifest, self.frames.inputs)

    def compare(self, candidate: NDArray[np.float32]) -> Parity:
        """How far logits of the same frames are from the reference's."""
        return compare(self.reference, candidate, self.manifest.threshold, self.frames.truth)

    def measure(self, artefact: Path, manifest: Manifest) -> Parity:
        """Runs an artefact on the frames and compares. Raises ModelError or BackendError."""
        return self.compare(self.run(artefact, manifest)[0])

    def measure_graph(self, graph: onnx.ModelProto, manifest: Manifest) -> Parity:
        """Runs a graph that has no file yet."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            path.write_bytes(to_bytes(graph))
            return self.measure(path, manifest)

    def first(self, number: int) -> Proof:
        """The same of the first frames alone, for questions that are asked often."""
        frames = dataclasses.replace(
            self.frames,
            inputs=self.frames.inputs[:number],
            truth=self.frames.truth[:number],
            names=self.frames.names[:number],
            chosen=self.frames.chosen[:number],
        )
        return dataclasses.replace(self, frames=frames, reference=self.reference[:number])

    @cached_property
    def noise(self) -> dict[str, Parity]:
        """How far PyTorch is from itself on these frames."""
        return noise_floor(self.network, self.manifest, self.frames.inputs, self.reference)

    @cached_property
    def preprocessing(self) -> Preprocessing:
        """That training would have seen these frames as the runtime does. Raises ParityError."""
        return prove_preprocessing(self.manifest, self.frames.pictures())

    @cached_property
    def elsewhere(self) -> tuple[Proof, ...]:
        """The same for a few frames at other sizes, where the artefact is to take any."""
        if not self.manifest.dynamic_size:
            return ()
        fitting = find_kind(self.manifest.model).sizes.fitting
        proofs = []
        for factors in ELSEWHERE:
            height, width = (
                fitting(round(side * factor))
                for side, factor in zip(self.manifest.input_size, factors, strict=True)
            )
            manifest = dataclasses.replace(self.manifest, input_size=(height, width))
            few = self.frames.chosen[:FEW]
            frames = prepare_frames(self.frames.samples, few, manifest, self.frames.origin)
            proofs.append(prove(self.network, manifest, frames))
        return tuple(proofs)


def prove(network: nn.Module, manifest: Manifest, frames: ProofFrames) -> Proof:
    """The reference's logits on these frames."""
    reference = reference_logits(network, manifest, frames.inputs)
    return Proof(network=network, manifest=manifest, frames=frames, reference=reference)
