"""Photographs of lakes, rivers and the sea, whose water is outlined by hand in water.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.photographs.repositories import CLONE
from runtime.errors import DataError

OUTLINES = Path(__file__).with_name("water.json")
EACH_MEASURED = 3
"""One of so many photographs in a row is measured on, the others are learned from."""

Polygon = Sequence[Sequence[float]]


@dataclass(frozen=True, kw_only=True)
class Outline:
    """Polygons of (x, y) in shares of width and height: of water, and of what stands in it."""

    water: Sequence[Polygon]
    dry: Sequence[Polygon]

    def mask(self, size: tuple[int, int]) -> NDArray[np.uint8]:
        """(height, width) uint8, 255 where there is water."""
        drawn = np.zeros(size, np.uint8)
        for polygons, value in ((self.water, 255), (self.dry, 0)):
            for polygon in polygons:
                corners = np.rint(np.array(polygon) * size[::-1]).astype(np.int32)
                cv2.fillPoly(drawn, [corners], value)
        return drawn


def read_outlines() -> dict[str, Outline]:
    """By where the photographs lie below the clones, in their order."""
    return {
        name: Outline(**polygons) for name, polygons in json.loads(OUTLINES.read_text()).items()
    }


def find_outlined(clones: Path) -> dict[str, dict[Path, Outline]]:
    """Part -> photograph -> its water. clones: see find_cloned. Raises DataError."""
    found: dict[str, dict[Path, Outline]] = {"also": {}, "water": {}}
    for index, (name, outline) in enumerate(read_outlines().items()):
        photograph = clones / name
        if not photograph.is_file():
            raise DataError(f"no {photograph}; run in {clones}: {CLONE}")
        found["also" if index % EACH_MEASURED else "water"][photograph] = outline
    return found
