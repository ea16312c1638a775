"""A model: an artefact that fits its manifest, loaded into a backend and ready to run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from runtime.backends import Backend, load_backend
from runtime.manifest import Manifest, read_manifest

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class Model:
    """What turns inputs into logits, and the contract by which inputs are made and logits read."""

    manifest: Manifest
    backend: Backend

    def infer(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Logits of any number of inputs, also where the artefact takes a fixed batch only.

        inputs: (N, h, w, 3) uint8 RGB at network size, N at least 1. Returns (N, 1, h, w) float32
        in memory that the caller owns. Raises BackendError.
        """
        batch = self.manifest.batch
        if batch in (0, len(inputs)) or len(inputs) == 0:
            return self.backend.infer(inputs)
        parts = [
            self.backend.infer(_filled_up(inputs[start : start + batch], batch))
            for start in range(0, len(inputs), batch)
        ]
        return np.concatenate(parts)[: len(inputs)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.backend.__exit__(kind, error, trace)


def load_model(path: Path, backend: str = "auto") -> Model:
    """Verifies an artefact against its manifest and loads it into a backend.

    Raises ManifestError, ModelError or BackendError.
    """
    manifest = read_manifest(path)
    return Model(manifest, load_backend(path, manifest, backend))


def _filled_up(inputs: NDArray[np.uint8], batch: int) -> NDArray[np.uint8]:
    missing = batch - len(inputs)
    return np.concatenate([inputs, np.repeat(inputs[-1:], missing, axis=0)]) if missing else inputs
