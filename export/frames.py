"""The real frames on which an artefact has to prove itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from runtime.errors import DataError
from runtime.manifest import Manifest
from runtime.processing import preprocess
from train.dataset import SYNTHETIC, open_dataset
from train.metrics import network_mask
from train.samples import DataSet, Samples
from train.settings import read_settings
from train.trained_data import open_trained

COUNT = 16
"""Frames of a proof: 0.8 million pixels at 224x224, so one flipped pixel shows."""


@dataclass(frozen=True, kw_only=True)
class ProofFrames:
    """inputs: (N, h, w, 3) uint8 RGB at network size. names: of the pictures, in that order.
    truth: (N, h, w) bool, water is True. origin: in words, where they come from. samples and
    chosen: the pictures themselves, read again when they are asked for."""

    inputs: NDArray[np.uint8]
    truth: NDArray[np.bool_]
    names: tuple[str, ...]
    origin: str
    samples: Samples
    chosen: tuple[int, ...]

    def pictures(self) -> Iterator[NDArray[np.uint8]]:
        """The pictures as they are on disk, (H, W, 3) uint8 RGB, one at a time."""
        return (self.samples[index].image for index in self.chosen)

    def fingerprint(self) -> str:
        """SHA-256 over inputs and true masks, 64 hexadecimal digits."""
        digest = hashlib.sha256(self.inputs.tobytes())
        digest.update(self.truth.tobytes())
        return digest.hexdigest()


PROVING = ("val", "test", "train")
CALIBRATING = ("train", "val", "test")
"""Splits in the order in which the first that is not empty is taken."""


def proof_frames(
    data_set: DataSet, manifest: Manifest, count: int = COUNT, splits: tuple[str, ...] = PROVING
) -> ProofFrames:
    """Frames spread evenly over a split, the same ones every time. Raises DataError."""
    split = next((name for name in splits if len(data_set.splits[name])), None)
    if split is None:
        raise DataError(f"{data_set.name} has no picture to prove on; name others with --data")
    samples = data_set.splits[split]
    spread = np.linspace(0, len(samples) - 1, min(count, len(samples))).round().astype(int)
    chosen = tuple(int(index) for index in spread)
    origin = f"{len(chosen)} frames of the {split} split of {data_set.name}"
    return prepare_frames(samples, chosen, manifest, origin)


def prepare_frames(
    samples: Samples, chosen: tuple[int, ...], manifest: Manifest, origin: str
) -> ProofFrames:
    """These samples at the manifest's input size."""
    frames = [samples[index] for index in chosen]
    inputs = [
        preprocess(frame.image[..., ::-1], manifest.input_size, manifest.resize) for frame in frames
    ]
    return ProofFrames(
        inputs=np.stack(inputs),
        truth=np.stack([network_mask(frame.mask, manifest.input_size) for frame in frames]),
        names=tuple(frame.name for frame in frames),
        origin=origin,
        samples=samples,
        chosen=chosen,
    )


def find_data(
    checkpoint: Path, trained: Manifest, data: str | None = None, pairs: Path | None = None
) -> tuple[DataSet, str]:
    """The data set to prove on, split as in training, and one sentence on why it is this one.

    trained: the checkpoint's manifest, or that of what was exported from it. It is what `data`
    names; else what the checkpoint's run was trained on, where that is still
    there; else generated scenes. Raises DataError.
    """
    if data is not None:
        return open_trained(checkpoint, trained, data, pairs), f"frames: from {data}, as asked"
    if pairs is not None:
        raise DataError("--pairs came without --data; name the folder of the photographs as well")
    try:
        run = read_settings(checkpoint.parent)
    except DataError:
        return open_dataset(SYNTHETIC), (
            "frames: generated scenes, because beside the checkpoint no config.json says what it "
            "was trained on; name others with --data"
        )
    table = Path(run.pairs) if run.pairs else None
    if run.data == SYNTHETIC or (Path(run.data).is_dir() and (not table or table.is_file())):
        found = open_trained(checkpoint, trained, None, None)
        return found, f"frames: from {found.name}, which the checkpoint was trained on"
    return open_dataset(SYNTHETIC), (
        f"frames: generated scenes, because the checkpoint's data ({run.data}) is not here; "
        "name others with --data"
    )
