"""Whether an affine map lays the fine structure of one picture onto another's."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 64
"""Side at which pictures are hashed and laid over each other."""

Window = tuple[float, float, float, float]
"""x, y, width and height as shares of the picture."""


def fine_structure(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Edges and texture at equal strength all over: light, haze and colour drop out."""
    picture = grey.astype(np.float32)
    fine, coarse = SIDE / 96, SIDE / 12
    band = cv2.GaussianBlur(picture, (0, 0), fine) - cv2.GaussianBlur(picture, (0, 0), coarse)
    strength = np.sqrt(cv2.GaussianBlur(band * band, (0, 0), coarse))
    return band / (strength + 4)


def agreement_of(
    picture: NDArray[np.float32], template: NDArray[np.float32], window: Window
) -> float:
    """Correlation of template and picture where they overlap, after the affine map between them
    has been refined from `window` (Evangelidis and Psarakis 2008, ECC). 0: no such map."""
    x, y, width, height = window
    start = np.array([[width, 0, x * SIDE], [0, height, y * SIDE]], np.float32)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-3)
    try:
        _, found = cv2.findTransformECC(template, picture, start, cv2.MOTION_AFFINE, stop, None, 3)
    except cv2.error:  # it did not converge: two different pictures
        return 0.0
    there = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    overlap = cv2.warpAffine(np.ones_like(picture), found, (SIDE, SIDE), flags=there) > 0
    if overlap.mean() < 0.3 or abs(np.linalg.det(found[:, :2])) < 0.15:
        return 0.0
    laid = cv2.warpAffine(
        picture, found, (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    return _correlation(template[overlap], laid[overlap])


def _correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    first, second = first - first.mean(), second - second.mean()
    power = float((first * first).sum() * (second * second).sum())
    return float((first * second).sum()) / power**0.5 if power > 0 else 0.0
