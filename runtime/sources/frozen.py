"""Whether a live feed still moves, and whether what it gives was given before."""

from __future__ import annotations

import zlib
from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

ROW_STEP = 32
"""Every so many rows are compared first; frames that differ almost always differ there."""
RERUN_STEP = 8
"""Frames of a playlist are the same when every so many rows are."""
REMEMBERED = 1000
"""Frames of a playlist that are remembered: three segments of ten seconds."""


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


class Reruns:
    """Frames that a playlist gives once more: whoever opens it begins some segments before its end,
    which may be those that came before the connection was lost."""

    def __init__(self) -> None:
        self._given: deque[int] = deque(maxlen=REMEMBERED)
        self._before: frozenset[int] = frozenset()

    def reconnected(self) -> None:
        """From here on, until the first frame that is new, frames may be old ones."""
        self._before = frozenset(self._given)

    def again(self, image: NDArray[np.uint8]) -> bool:
        """Whether this frame came before the reconnect."""
        key = zlib.crc32(np.ascontiguousarray(image[::RERUN_STEP]).data)
        if key in self._before:
            return True
        self._before = frozenset()
        self._given.append(key)
        return False


def _same(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    return (
        one.shape == other.shape
        and np.array_equal(one[::ROW_STEP], other[::ROW_STEP])
        and cv2.norm(one, other, cv2.NORM_INF) == 0
    )
