"""What a photograph and a mask are, found by decoding each once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from runtime.errors import DataError
from runtime.files import sha256
from runtime.images import read_grey, read_picture
from train import swaps
from train.duplicates import thumbnail
from train.samples import MASK_THRESHOLD

Found = TypeVar("Found")
_BETWEEN = (8, 247)
"""Grey levels between these are neither land nor water, even after lossy compression."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A decoded photograph. size: (height, width), upright. content, pixels: SHA-256 of the file
    and of what it decodes to. small: its thumbnail."""

    path: Path
    format: str
    mode: str
    size: tuple[int, int]
    content: str
    pixels: str
    small: NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Mask:
    """A decoded mask. water: share above the threshold. between: share of grey levels that are
    neither black nor white. levels: lowest and highest. small: water share, see train.swaps."""

    path: Path
    format: str
    mode: str
    size: tuple[int, int]
    water: float
    between: float
    levels: tuple[int, int]
    small: NDArray[np.float32]


def look_at_image(path: Path) -> Picture | tuple[Path, str]:
    """A photograph, or why it cannot be read."""
    return _or_why_not(path, _image)


def look_at_mask(path: Path) -> Mask | tuple[Path, str]:
    """A mask, or why it cannot be read."""
    return _or_why_not(path, _mask)


def _or_why_not(path: Path, look: Callable[[Path], Found]) -> Found | tuple[Path, str]:
    try:
        return look(path)
    except (DataError, OSError) as error:
        return path, str(error)


def _image(path: Path) -> Picture:
    kind, mode = _header(path)
    image = read_picture(path)
    return Picture(
        path=path,
        format=kind,
        mode=mode,
        size=image.shape[:2],
        content=sha256(path),
        pixels=hashlib.sha256(f"{image.shape}".encode() + image.tobytes()).hexdigest(),
        small=thumbnail(image),
    )


def _mask(path: Path) -> Mask:
    kind, mode = _header(path)
    grey = read_grey(path)
    water = (grey > MASK_THRESHOLD).astype(np.float32)
    low, high = _BETWEEN
    return Mask(
        path=path,
        format=kind,
        mode=mode,
        size=grey.shape,
        water=float(water.mean()),
        between=float(((grey > low) & (grey < high)).mean()),
        levels=(int(grey.min()), int(grey.max())),
        small=cv2.resize(water, (swaps.SIDE, swaps.SIDE), interpolation=cv2.INTER_AREA),
    )


def _header(path: Path) -> tuple[str, str]:
    """Format and mode as the file says, before anything is converted."""
    try:
        with Image.open(path) as picture:
            return picture.format or "?", picture.mode
    except (Image.UnidentifiedImageError, SyntaxError, ValueError):
        raise DataError(f"{path} is not a picture, or damaged: replace or remove it") from None
    except Image.DecompressionBombError as error:
        raise DataError(f"{path} is too large ({error}): make it smaller") from error
