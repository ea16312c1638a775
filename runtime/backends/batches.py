"""Any number of inputs through an artefact that may take a fixed batch only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from runtime.backends import Backend
from runtime.manifest import Manifest


def infer_any(
    backend: Backend, manifest: Manifest, inputs: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Logits of any number of inputs, at least 1; a last part that is too short is filled up.

    inputs: (N, h, w, 3) uint8 RGB. Returns (N, 1, h, w) float32 in memory that the caller owns.
    Raises BackendError.
    """
    batch = manifest.batch
    if batch in (0, len(inputs)) or len(inputs) == 0:
        return backend.infer(inputs)
    parts = [
        backend.infer(_filled_up(inputs[start : start + batch], batch))
        for start in range(0, len(inputs), batch)
    ]
    return np.concatenate(parts)[: len(inputs)]


def _filled_up(inputs: NDArray[np.uint8], batch: int) -> NDArray[np.uint8]:
    missing = batch - len(inputs)
    return np.concatenate([inputs, np.repeat(inputs[-1:], missing, axis=0)]) if missing else inputs
