"""How good masks are, from counts of true and false pixels at network size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from train.samples import MASK_THRESHOLD

BOUNDARY_TOLERANCE = 0.0075
"""How far apart two boundaries may lie and still agree, as a share of the picture's diagonal."""
COUNTS = 8
"""Numbers of one picture that count_pixels gives and score takes."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """All in 0-1. iou, dice, accuracy, precision and recall count the pixels of all pictures
    together; mean_iou is the mean of each picture's own IoU; fraction_error is the mean absolute
    error of the water fraction. Where water is neither there nor predicted, a score is 1.

    boundary_f1 is the mean of each picture's F1 of the boundary (Csurka et al., "What is a good
    evaluation measure for semantic segmentation?", BMVC 2013): precision is the share of predicted
    boundary pixels with a true one within 0.75 % of the diagonal (at least one pixel), recall the
    share of true ones with a predicted one. A boundary pixel is water that touches land; the
    picture's edge is no boundary. A picture without boundary that gets none scores 1.
    """

    iou: float
    mean_iou: float
    dice: float
    boundary_f1: float
    accuracy: float
    precision: float
    recall: float
    fraction_error: float


LABELS = {
    "iou": "IoU, all pixels",
    "mean_iou": "IoU, mean of pictures",
    "dice": "Dice",
    "boundary_f1": "boundary F1",
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "fraction_error": "water fraction, mean absolute error",
}
"""What people call the scores, in the order in which they are shown."""
LOWER_IS_BETTER = ("fraction_error",)


def network_mask(mask: NDArray[np.bool_], input_size: tuple[int, int]) -> NDArray[np.bool_]:
    """A true mask at network size: a pixel is water where at least half of its area is."""
    height, width = input_size
    grey = mask.astype(np.uint8) * 255
    if mask.shape != input_size:
        grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
    return grey > MASK_THRESHOLD


def count_pixels(predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> NDArray[np.int64]:
    """What `score` needs of each picture, as numbers of pixels.

    predicted, true: (N, h, w). Returns (N, 8), which can be concatenated over batches: true
    positives, false positives, false negatives, true negatives; then boundary pixels: predicted
    ones, those of them near a true one, true ones, those of them near a predicted one.
    """
    axes = (1, 2)
    cases = (predicted & true, predicted & ~true, ~predicted & true, ~predicted & ~true)
    areas = np.stack([case.sum(axis=axes, dtype=np.int64) for case in cases], axis=1)
    disc = _disc(max(1.0, BOUNDARY_TOLERANCE * math.hypot(*true.shape[1:])))
    pairs = zip(predicted, true, strict=True)
    return np.hstack([areas, [_boundary_counts(guess, truth, disc) for guess, truth in pairs]])


def each_iou(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """The IoU of each picture, (N,); 1 where water is neither there nor predicted."""
    union = counts[:, :3].sum(axis=1)
    return np.where(union == 0, 1.0, counts[:, 0] / np.maximum(union, 1))


def each_boundary_f1(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """The boundary F1 of each picture, (N,)."""
    predicted, predicted_near, true, true_near = counts[:, 4:].T
    precision, recall = (
        near / np.maximum(all_of_them, 1)
        for near, all_of_them in ((predicted_near, predicted), (true_near, true))
    )
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return np.where(predicted + true == 0, 1.0, f1)


def score(counts: NDArray[np.int64]) -> Scores:
    """Scores of all pictures that were counted; counts: (N, 8) of count_pixels, N at least 1."""
    hits, false_alarms, misses, rest = (int(value) for value in counts[:, :4].sum(axis=0))
    error = np.abs(counts[:, 1] - counts[:, 2]) / counts[:, :4].sum(axis=1)
    return Scores(
        iou=_share(hits, hits + false_alarms + misses),
        mean_iou=float(each_iou(counts).mean()),
        dice=_share(2 * hits, 2 * hits + false_alarms + misses),
        boundary_f1=float(each_boundary_f1(counts).mean()),
        accuracy=_share(hits + rest, hits + false_alarms + misses + rest),
        precision=_share(hits, hits + false_alarms),
        recall=_share(hits, hits + misses),
        fraction_error=float(error.mean()),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _disc(radius: float) -> NDArray[np.uint8]:
    """A round structuring element: 1 where the centre is at most `radius` pixels away."""
    reach = np.arange(-math.floor(radius), math.floor(radius) + 1)
    return (np.hypot(reach[:, np.newaxis], reach) <= radius).astype(np.uint8)


def _boundary_counts(
    predicted: NDArray[np.bool_], true: NDArray[np.bool_], disc: NDArray[np.uint8]
) -> list[int]:
    edges = [_boundary(mask) for mask in (predicted, true)]
    counts = []
    for edge, other in (edges, edges[::-1]):
        near = cv2.dilate(other, disc)
        counts += [np.count_nonzero(edge), np.count_nonzero(edge & near)]
    return counts


def _boundary(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """1 for water with land above, below, left or right of it."""
    water = mask.astype(np.uint8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    return water - cv2.erode(water, cross)
