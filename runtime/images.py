"""Frames, and the one function that reads still pictures for training and runtime alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from runtime.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One picture of a source.

    image: (H, W, 3) uint8 BGR, as OpenCV gives it.
    index: position in the source, from 0; skipped frames leave gaps.
    timestamp_s: seconds, from the container for files, from the clock (Unix time) for live sources.
    name: what results of this frame are called (a picture's stem, a video frame's number).
    read_ms: milliseconds that reading and decoding took.
    """

    image: NDArray[np.uint8]
    index: int
    timestamp_s: float
    name: str
    read_ms: float = 0.0


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Reads a still picture as (H, W, 3) uint8 RGB.

    The content decides the format, not the suffix. EXIF rotation is applied; palette, alpha,
    grey and 16-bit pictures become RGB (alpha is dropped, not blended). Raises DataError.
    """
    return np.asarray(_open(path, "RGB"), dtype=np.uint8)


def read_grey(path: Path) -> NDArray[np.uint8]:
    """Reads a still picture as (H, W) uint8 grey, by the same rules as read_picture."""
    return np.asarray(_open(path, "L"), dtype=np.uint8)


def _open(path: Path, mode: str) -> Image.Image:
    from PIL import Image, ImageOps  # video and cameras do without

    try:
        with Image.open(path) as picture:
            upright = ImageOps.exif_transpose(picture)
            if upright.mode.startswith(("I", "F")):
                upright = _to_8_bit(upright)
            if upright.mode in ("P", "PA", "LA", "RGBA") and mode == "L":
                upright = upright.convert("RGB")
            return upright.convert(mode)
    except FileNotFoundError:
        raise DataError(f"no such picture: {path}; check the path") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(
            f"cannot read {path} as a picture ({_first_line(error)}); "
            "it is damaged or of an unknown format: replace or remove it"
        ) from error


def _to_8_bit(picture: Image.Image) -> Image.Image:
    from PIL import Image

    values = np.asarray(picture, dtype=np.float64)
    scale = 65535.0 if picture.mode.startswith("I") else 1.0
    return Image.fromarray(np.clip(values / scale * 255.0 + 0.5, 0, 255).astype(np.uint8))


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
