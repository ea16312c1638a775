"""Pure functions around a backend: frame -> input, logits -> mask -> water fraction.

Normalisation is inside every exported graph, so what is left here is geometry and colour.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

INTERPOLATIONS = {
    "linear": cv2.INTER_LINEAR,
    "area": cv2.INTER_AREA,
    "pyramid": cv2.INTER_AREA,
}
"""The resize rules a manifest may name, and the OpenCV flag that each one means. With "pyramid" a
frame is halved first, as often as `halvings` says: a quarter of the work of "area" at 1080p."""


def preprocess(
    image: NDArray[np.uint8], input_size: tuple[int, int], resize: str
) -> NDArray[np.uint8]:
    """What the network sees of one frame: (h, w, 3) uint8 RGB at network size.

    image: (H, W, 3) uint8 BGR. input_size: (height, width). The aspect ratio is not kept.
    The result is C-contiguous and never shares memory with `image`.
    """
    height, width = input_size
    resized = image
    if resize == "pyramid":
        for _ in range(halvings(image.shape[:2], input_size)):
            half = (resized.shape[1] // 2, resized.shape[0] // 2)
            resized = cv2.resize(resized, half, interpolation=cv2.INTER_AREA)
    if resized.shape[:2] != input_size:
        resized = cv2.resize(resized, (width, height), interpolation=INTERPOLATIONS[resize])
    rgb: NDArray[np.uint8] = cv2.cvtColor(resized, cv2.COLOR_BGR2RGB)
    return rgb


def halvings(frame_size: tuple[int, int], input_size: tuple[int, int]) -> int:
    """How often "pyramid" halves a frame: while both sides are even and at least twice the input's.

    Sizes are (height, width). Each pixel of a half is the mean of 2x2, a half rounded up.
    """
    (height, width), (wanted_height, wanted_width), count = frame_size, input_size, 0
    while (
        height % 2 == width % 2 == 0 and height >= 2 * wanted_height and width >= 2 * wanted_width
    ):
        height, width, count = height // 2, width // 2, count + 1
    return count


def to_mask(
    logits: NDArray[np.float32], frame_size: tuple[int, int], threshold: float
) -> NDArray[np.bool_]:
    """The mask at frame size, (H, W) bool, water is True.

    logits: (h, w) float32 at network size. frame_size: (height, width). Logits are resized
    bilinearly before the decision, so borders are not blocky; a pixel is water where
    sigmoid(logit) > threshold.
    """
    height, width = frame_size
    if logits.shape != frame_size:
        logits = cv2.resize(logits, (width, height), interpolation=cv2.INTER_LINEAR)
    mask: NDArray[np.bool_] = logits > np.float32(logit(threshold))
    return mask


def logit(probability: float) -> float:
    """The logit of a probability in (0, 1): log(p / (1 - p))."""
    return math.log(probability / (1.0 - probability))


def water_fraction(mask: NDArray[np.bool_]) -> float:
    """Share of mask pixels that are water, 0 to 1."""
    return float(np.count_nonzero(mask)) / mask.size
