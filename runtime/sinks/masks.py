"""Masks as pictures: one PNG per frame, 0 is land and 255 is water, at frame size."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from runtime.counts import Counts
from runtime.errors import SinkError
from runtime.files import make_folder, write_bytes
from runtime.observe import Observation

FAST_COMPRESSION = (cv2.IMWRITE_PNG_COMPRESSION, 1)
"""Masks are nearly constant: the lowest level is already small, and several times faster."""


class MaskFolder:
    """Writes FOLDER/NAME.png, each whole or not there."""

    name = "masks"

    def __init__(self, folder: Path) -> None:
        """Creates the folder. Raises SinkError when it cannot be written."""
        self._folder = make_folder(folder)
        probe = folder / ".flood-runtime"
        write_bytes(probe, b"", durable=False)
        probe.unlink()

    def write(self, observation: Observation, counts: Counts) -> None:
        grey = observation.mask.astype(np.uint8) * np.uint8(255)
        encoded, content = cv2.imencode(".png", grey, FAST_COMPRESSION)
        if not encoded:
            raise SinkError(f"cannot encode the mask of frame {observation.frame.name} as PNG")
        path = self._folder / f"{observation.frame.name}.png"
        write_bytes(path, content.tobytes(), durable=False)

    def close(self) -> None:
        return None
