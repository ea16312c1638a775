"""A backend without a network, for tests and for trying out sources and sinks."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from runtime.errors import BackendError

if TYPE_CHECKING:
    from typing_extensions import Self


class FakeBackend:
    """Calls water what is bluer than red: logit = (blue - red) / 32, exact and deterministic."""

    name = "fake"

    def __init__(self) -> None:
        self._closed = False

    def infer(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, h, w, 3) uint8 RGB -> (N, 1, h, w) float32."""
        if self._closed:
            raise BackendError("the fake backend is closed; load it again")
        red, blue = inputs[..., 0].astype(np.float32), inputs[..., 2].astype(np.float32)
        return ((blue - red) / np.float32(32))[:, np.newaxis]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed = True
