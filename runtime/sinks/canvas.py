"""What both writers of the overlay video share: the size of its pictures and its longest pause."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SMALLEST_SIDE = 16
LONGEST_GAP_S = 10.0
"""Longer pauses of a source are shortened to this in the video."""


def fit(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture centred on black at (height, width), smaller or larger but never distorted.

    Where only a row or column is missing to an even size, the last one is there twice.
    """
    height, width = size
    if picture.shape[:2] == size:
        return picture
    rows, columns = height - picture.shape[0], width - picture.shape[1]
    if {rows, columns} <= {0, 1}:
        bordered = cv2.copyMakeBorder(picture, 0, rows, 0, columns, cv2.BORDER_REPLICATE)
        return np.asarray(bordered, np.uint8)
    scale = min(height / picture.shape[0], width / picture.shape[1])
    inner_height = min(height, max(1, round(picture.shape[0] * scale)))
    inner_width = min(width, max(1, round(picture.shape[1] * scale)))
    if scale != 1.0:
        picture = cv2.resize(picture, (inner_width, inner_height), interpolation=cv2.INTER_AREA)
    canvas = np.zeros((height, width, 3), np.uint8)
    top, left = (height - inner_height) // 2, (width - inner_width) // 2
    canvas[top : top + inner_height, left : left + inner_width] = picture
    return canvas


def even_size(picture: NDArray[np.uint8]) -> tuple[int, int]:
    """Codecs want even sides; a side that is odd grows by one."""
    height, width = (max(SMALLEST_SIDE, side + side % 2) for side in picture.shape[:2])
    return height, width
