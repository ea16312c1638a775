"""Photographs of lakes, rivers and the sea, whose water is outlined by hand."""

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

WATER, LEARNED, RIVERS = (
    Path(__file__).with_name(f"{name}.json") for name in ("water", "learned", "rivers")
)
"""Outlines of photographs of which some are measured on; of others to learn from, with boats,
harbours and a few cameras at rivers; of other cameras' frames of rivers, to measure on."""
EACH_MEASURED = 3
"""One of so many photographs of WATER in a row is measured on, the others are learned from."""

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


def read_outlines(path: Path = WATER) -> dict[str, Outline]:
    """By where the photographs lie below the clones, in their order."""
    return {name: Outline(**polygons) for name, polygons in json.loads(path.read_text()).items()}


def find_outlined(clones: Path) -> dict[str, dict[str, Outline]]:
    """Part -> photograph, below clones -> its water. clones: see find_cloned. Raises DataError."""
    found = {"also": read_outlines(LEARNED), "water": {}, "rivers": read_outlines(RIVERS)}
    for index, (name, outline) in enumerate(read_outlines().items()):
        found["also" if index % EACH_MEASURED else "water"][name] = outline
    for name in (name for part in found.values() for name in part):
        if not (clones / name).is_file():
            raise DataError(f"no {clones / name}; run in {clones}: {CLONE}")
    return found
