"""Masks as pictures: one PNG per frame, 0 is land and 255 is water, at frame size."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import cv2
import numpy as np

from runtime.counts import Counts
from runtime.errors import SinkError
from runtime.files import make_folder, unwritable
from runtime.observe import Observation

FAST_COMPRESSION = [cv2.IMWRITE_PNG_COMPRESSION, 1]
"""Masks are nearly constant: the lowest level is already small, and several times faster."""
if hasattr(cv2, "IMWRITE_PNG_FILTER"):  # since OpenCV 4.12; a quarter of the time, half the size
    FAST_COMPRESSION += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE]
    FAST_COMPRESSION += [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]


class MaskFolder:
    """Writes FOLDER/NAME.png, each whole or not there."""

    name = "masks"

    def __init__(self, folder: Path) -> None:
        """Creates the folder. Raises SinkError when it cannot be written."""
        self._folder = make_folder(folder)
        self._unfinished = folder / f".unfinished-{os.getpid()}"
        self._write_whole(self._unfinished, b"")
        self.close()

    def write(self, observation: Observation, counts: Counts) -> None:
        grey = observation.mask.view(np.uint8) * np.uint8(255)
        encoded, content = cv2.imencode(".png", grey, FAST_COMPRESSION)
        if not encoded:
            raise SinkError(f"cannot encode the mask of frame {observation.frame.name} as PNG")
        self._write_whole(self._folder / f"{observation.frame.name}.png", content.tobytes())

    def _write_whole(self, path: Path, content: bytes) -> None:
        """One name for all unfinished masks: kill -9 leaves at most that one file behind."""
        try:
            self._unfinished.write_bytes(content)
            self._unfinished.replace(path)
        except OSError as error:
            self.close()
            raise unwritable(path, error) from error

    def flush(self) -> None:
        return None

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._unfinished.unlink()
