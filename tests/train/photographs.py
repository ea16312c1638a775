"""Photographs of green land above blue water, written as real files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def write_pair(folder: Path, stem: str, level: float, size: tuple[int, int] = (40, 56)) -> None:
    """A photograph of green land above blue water that covers the share `level` of it."""
    height, width = size
    shore = round(height * (1 - level))
    noise = np.random.default_rng(len(stem) + shore).integers(0, 40, (height, width, 3))
    image = np.empty((height, width, 3), np.uint8)
    image[:shore] = (60, 130, 50) + noise[:shore]
    image[shore:] = (50, 80, 150) + noise[shore:]
    mask = np.zeros((height, width), np.uint8)
    mask[shore:] = 255
    (folder / "Image").mkdir(parents=True, exist_ok=True)
    (folder / "Mask").mkdir(exist_ok=True)
    Image.fromarray(image).save(folder / "Image" / f"{stem}.jpg", quality=92)
    Image.fromarray(mask).save(folder / "Mask" / f"{stem}.png")
