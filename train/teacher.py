"""A trained network whose probabilities of water another one learns from."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest
from runtime.model import load_model
from train.checkpoint import load_checkpoint
from train.compute import Compute
from train.run_folder import RunFolder
from train.validate import predict


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """probabilities: (N, h, w, 3) uint8 RGB at the manifest's input size to the probability of
    water, (N, h, w) float32 in 0-1."""

    manifest: Manifest
    probabilities: Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def find_teacher(path: Path) -> Path:
    """The artefact that is meant: a run's folder means its best checkpoint."""
    return RunFolder(path).best if path.is_dir() else path


@contextlib.contextmanager
def open_teacher(path: Path, compute: Compute) -> Iterator[Teacher]:
    """A checkpoint, which runs in training's precision, or an exported artefact, which runs on the
    runtime's fastest backend: on a processor an INT8 graph teaches several times faster.

    Raises ModelError, ManifestError and BackendError.
    """
    if path.suffix == ".safetensors":
        network, manifest = load_checkpoint(path)
        network.to(compute.device, memory_format=torch.channels_last)
        yield Teacher(
            manifest=manifest,
            probabilities=lambda images: (
                torch.sigmoid(predict(network, images, compute)[:, 0]).cpu().numpy()
            ),
        )
        return
    with load_model(path) as model:
        yield Teacher(
            manifest=model.manifest,
            probabilities=lambda images: 1.0 / (1.0 + np.exp(-model.infer(images)[:, 0])),
        )


def teachers_hash(path: Path) -> str:
    """SHA-256 of the checkpoint that a teacher is, or was exported from."""
    return read_manifest(path).provenance.checkpoint_sha256
