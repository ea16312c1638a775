"""Runs a checkpoint as it was trained: the reference that every exported artefact is held to."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from runtime.backends.checks import check_batch, closed
from runtime.errors import BackendError
from runtime.manifest import Manifest
from train.checkpoint import load_checkpoint
from train.normalise import normalise

if TYPE_CHECKING:
    from typing_extensions import Self


class PyTorchBackend:
    """Full float32 (no TF32), so that results can serve as the truth of a parity check.

    device: "cpu", "cuda" or "auto" for a GPU where there is one. `manifest` must be the one that
    belongs to `path`.
    """

    in_flight = 1

    def __init__(self, path: Path, manifest: Manifest, device: str = "auto") -> None:
        model, stored = load_checkpoint(path)
        if stored != manifest:
            raise BackendError(f"{path} was loaded with another file's manifest; read its own")
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self.name = "pytorch (CPU)" if device == "cpu" else "pytorch (GPU)"
        self._device = torch.device(device)
        self._model: nn.Module | None = model.to(self._device)
        self._manifest = manifest

    def infer(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, h, w, 3) uint8 RGB -> (N, 1, h, w) float32 logits, in memory the caller owns."""
        if self._model is None:
            raise closed(self.name)
        check_batch(self.name, self._manifest, inputs)
        pictures = torch.from_numpy(np.ascontiguousarray(inputs)).to(self._device)
        exact = torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
        with torch.inference_mode(), exact:
            logits = self._model(normalise(pictures, self._manifest.mean, self._manifest.std))
        result: NDArray[np.float32] = logits.float().cpu().numpy()
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._model = None
