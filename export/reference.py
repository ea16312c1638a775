"""What every artefact is held to: PyTorch, float32, on the CPU, one frame at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import nn

from runtime.manifest import Manifest
from runtime.model import Model
from train.console import console, quiet
from train.normalise import normalise


def reference_logits(
    network: nn.Module, manifest: Manifest, inputs: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Logits of the network as it was trained; inputs (N, h, w, 3), result (N, 1, h, w)."""
    logits = []
    with torch.inference_mode():
        for frame in _frames(inputs, "PyTorch"):
            pictures = normalise(torch.from_numpy(frame), manifest.mean, manifest.std)
            logits.append(network(pictures).numpy())
    return np.concatenate(logits)


def model_logits(model: Model, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Logits of an artefact in its backend, shaped as the reference's. Raises BackendError."""
    return np.concatenate([model.infer(frame) for frame in _frames(inputs, model.backend.name)])


def _frames(inputs: NDArray[np.uint8], what: str) -> Iterator[NDArray[np.uint8]]:
    """Each frame as a batch of one, with a progress bar."""
    for index in track(
        range(len(inputs)), f"{what:<18}", console=console, transient=True, disable=quiet
    ):
        yield inputs[index : index + 1]
