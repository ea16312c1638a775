"""Whether a live feed still moves, and how old what it gives is."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

ROW_STEP = 32
"""Every so many rows are compared first; frames that differ almost always differ there."""


class Stillness:
    """For how long a feed has been giving the same bytes, or the same container timestamp."""

    def __init__(self) -> None:
        self._image: NDArray[np.uint8] | None = None
        self._image_since_s = 0.0
        self._stamp: float | None = None
        self._stamp_since_s = 0.0
        self._stamp_runs = False

    def reconnected(self) -> None:
        """Timestamps begin anew with a connection; an old picture stays old."""
        self._stamp, self._stamp_runs = None, False

    def seconds(self, image: NDArray[np.uint8], stamp: float, now_s: float) -> float:
        """How long it has stood still with this frame; 0.0 when it moved.

        now_s: any clock that never goes back. Backends without container timestamps always give
        the same one: it counts only once it has been seen to move.
        """
        if self._image is None or not _same(image, self._image):
            self._image, self._image_since_s = image, now_s
        if stamp != self._stamp:
            self._stamp_runs = self._stamp is not None
            self._stamp, self._stamp_since_s = stamp, now_s
        still_s = now_s - self._image_since_s
        return max(still_s, now_s - self._stamp_since_s) if self._stamp_runs else still_s


def _same(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    return (
        one.shape == other.shape
        and np.array_equal(one[::ROW_STEP], other[::ROW_STEP])
        and cv2.norm(one, other, cv2.NORM_INF) == 0
    )
