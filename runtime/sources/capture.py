"""OpenCV's VideoCapture, quiet and safe to close while another thread reads from it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.quiet import quiet_opencv

RELEASE_TIMEOUT_S = 0.2


def decoder_threads(count: int) -> list[int]:
    """The parameters of a Capture whose FFmpeg decodes in so many threads, each of which holds a
    frame of its own; none where this OpenCV (before 4.7) cannot be told."""
    return [cv2.CAP_PROP_N_THREADS, count] if hasattr(cv2, "CAP_PROP_N_THREADS") else []


class Capture:
    """An open video or camera. Its errors are told by our own one line, not by OpenCV's many."""

    def __init__(self, target: str | int, api: int, parameters: Sequence[int] = ()) -> None:
        """Opens nothing more than `target`; ask is_open whether that worked."""
        quiet_opencv()
        self._lock = threading.Lock()
        self._capture: Any = cv2.VideoCapture(target, api, list(parameters))

    @property
    def is_open(self) -> bool:
        return bool(self._capture.isOpened())

    def number(self, key: int) -> float | None:
        """A property such as CAP_PROP_FPS, None where it is unknown."""
        value = float(self._capture.get(key))
        return value if np.isfinite(value) and value > 0 else None

    def set(self, key: int, value: float) -> None:
        """Asks for a property; look at it afterwards, for drivers need not obey."""
        self._capture.set(key, value)

    def read(self) -> tuple[NDArray[np.uint8], float] | None:
        """The next picture, (H, W, 3) uint8 BGR, and its container's timestamp in seconds.

        None at the end of a file and when a stream is lost.
        """
        with self._lock:
            if not self.is_open:
                return None
            got, image = self._capture.read()
            if not got or image is None or image.size == 0:
                return None
            return as_bgr(image), float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1e3

    def close(self) -> None:
        """Releases the device or file; one whose reader hangs is left to the end of the process,
        because releasing it under the reader's hands would crash."""
        if self._lock.acquire(timeout=RELEASE_TIMEOUT_S):
            try:
                self._capture.release()
            finally:
                self._lock.release()


def as_bgr(image: NDArray[Any]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 BGR of what a decoder gave: thermal and grey cameras give one channel."""
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if image.ndim == 2 or image.shape[2] == 1:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), dtype=np.uint8)
    return np.asarray(image[..., :3], dtype=np.uint8)


def timed_read(capture: Capture) -> tuple[NDArray[np.uint8], float, float] | None:
    """Capture.read with the milliseconds that it took as third value."""
    start = time.perf_counter()
    got = capture.read()
    return None if got is None else (*got, (time.perf_counter() - start) * 1e3)
