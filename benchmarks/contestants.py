"""What is compared: the same weights in PyTorch and in every exported file, on the same frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from export.artefacts import FILES
from export.frames import find_data, proof_frames
from export.parity import LIMITS, check, compare
from export.verify import find_checkpoint
from runtime.errors import ModelError
from runtime.manifest import Manifest, read_manifest
from runtime.model import load_model
from train.checkpoint import load_checkpoint
from train.normalise import normalise

REFERENCE = "PyTorch eager FP32"


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """infer: one frame, (1, h, w, 3) uint8 RGB, to its logits. precision: whose limits count."""

    name: str
    precision: str
    infer: Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class Contest:
    """frames: (N, h, w, 3) uint8 RGB. The first contestant is the reference."""

    manifest: Manifest
    frames: NDArray[np.uint8]
    origin: str
    contestants: tuple[Contestant, ...]

    def check_parity(self, name: str, outputs: list[NDArray[np.float32]]) -> None:
        """Holds the very outputs that were timed, of `frames` in order, to the reference's.

        Raises ParityError.
        """
        contestant = next(entry for entry in self.contestants if entry.name == name)
        frames = [self.frames[index : index + 1] for index in range(len(outputs))]
        reference = np.concatenate([self.contestants[0].infer(frame) for frame in frames])
        parity = compare(reference, np.concatenate(outputs), self.manifest.threshold)
        check(parity, LIMITS[contestant.precision], name)


def open_contest(exports: Path, checkpoint: Path | None = None, count: int = 4) -> Contest:
    """All files of an export folder against the checkpoint they came from. Raises FloodError."""
    artefacts = {
        precision: exports / file for precision, file in FILES.items() if (exports / file).is_file()
    }
    if not artefacts:
        raise ModelError(
            f"{exports} holds none of {', '.join(FILES.values())}; make them with "
            "'python -m export --fp16'"
        )
    manifest = read_manifest(next(iter(artefacts.values())))
    checkpoint = checkpoint or find_checkpoint(manifest.provenance.checkpoint_sha256)
    frames = proof_frames(find_data(checkpoint)[0], manifest, count)
    models = {precision: load_model(path, "onnxruntime") for precision, path in artefacts.items()}
    exported = tuple(
        Contestant(
            name=f"{model.backend.name} {precision.upper()}",
            precision=precision,
            infer=model.infer,
        )
        for precision, model in models.items()
    )
    return Contest(
        manifest=manifest,
        frames=frames.inputs,
        origin=frames.origin,
        contestants=(pytorch(checkpoint), *exported),
    )


def pytorch(checkpoint: Path) -> Contestant:
    """The network as it was trained, at any input size."""
    network, manifest = load_checkpoint(checkpoint)

    def infer(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            logits = network(normalise(torch.from_numpy(frame), manifest.mean, manifest.std))
        result: NDArray[np.float32] = logits.numpy()
        return result

    return Contestant(name=REFERENCE, precision="fp32", infer=infer)
