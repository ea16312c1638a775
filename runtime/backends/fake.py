"""A backend without a network, for tests and for trying out sources and sinks."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from runtime.backends.checks import check_batch, closed
from runtime.manifest import Manifest

if TYPE_CHECKING:
    from typing_extensions import Self


class FakeBackend:
    """Calls water what is bluer than red: logit = (blue - red) / 32, exact and deterministic."""

    name = "fake"

    def __init__(self, path: Path, manifest: Manifest, in_flight: int = 1) -> None:
        self._manifest, self.in_flight = manifest, in_flight
        self._closed = False

    def infer(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, h, w, 3) uint8 RGB -> (N, 1, h, w) float32. Raises BackendError."""
        if self._closed:
            raise closed(self.name)
        check_batch(self.name, self._manifest, inputs)
        red, blue = inputs[..., 0].astype(np.float32), inputs[..., 2].astype(np.float32)
        logits: NDArray[np.float32] = ((blue - red) / np.float32(32))[:, np.newaxis]
        return logits

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed = True
