"""Masks as pictures: one PNG per frame, 0 is land and 255 is water, at frame size."""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from zlib_ng import zlib_ng

from runtime.counts import Counts
from runtime.files import make_folder, unwritable
from runtime.observe import Observation

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY = (8, 0, 0, 0, 0)
"""Eight bits, greyscale, and the only methods there are: deflate, filters by row, no interlace."""


def encode_mask(mask: NDArray[np.bool_]) -> bytes:
    """A mask (H, W) as a PNG file of 8-bit grey, water is 255 (W3C, "PNG Specification", 3rd ed.).

    OpenCV's encoder takes six times as long for the same bytes, in its zlib; what it takes is
    missing to the network on a small processor.
    """
    height, width = mask.shape
    rows = np.zeros((height, 1 + width), np.uint8)  # a row begins with its filter: 0 is none
    np.negative(mask.view(np.uint8), out=rows[:, 1:])  # 0 and 1 to 0 and 255
    deflate = zlib_ng.compressobj(1, strategy=zlib_ng.Z_RLE)
    header = struct.pack(">II5B", width, height, *GREY)
    pixels = deflate.compress(rows) + deflate.flush()
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", pixels), _chunk(b"IEND", b""))
    return SIGNATURE + b"".join(chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib_ng.crc32(content, zlib_ng.crc32(kind))
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


class MaskFolder:
    """Writes FOLDER/NAME.png, each whole or not there."""

    name = "masks"

    def __init__(self, folder: Path) -> None:
        """Creates the folder. Raises SinkError when it cannot be written."""
        self._made = not folder.exists()
        self._folder = make_folder(folder)
        self._unfinished = folder / f".unfinished-{os.getpid()}"
        self._write_whole(self._unfinished, b"")
        self._tidy()

    def write(self, observation: Observation, counts: Counts) -> None:
        path = self._folder / f"{observation.frame.name}.png"
        self._write_whole(path, encode_mask(observation.mask))

    def _write_whole(self, path: Path, content: bytes) -> None:
        """One name for all unfinished masks: kill -9 leaves at most that one file behind."""
        try:
            self._unfinished.write_bytes(content)
            self._unfinished.replace(path)
        except OSError as error:
            self._tidy()
            raise unwritable(path, error) from error

    def flush(self) -> None:
        return None

    def end(self, counts: Counts) -> None:
        return None

    def close(self) -> None:
        """A folder that was made for nothing is not left behind."""
        self._tidy()
        if self._made:
            with contextlib.suppress(OSError):  # it is not empty
                self._folder.rmdir()

    def _tidy(self) -> None:
        with contextlib.suppress(OSError):
            self._unfinished.unlink()
