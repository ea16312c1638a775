"""How good masks are, from counts of true and false pixels at network size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from train.dataset import MASK_THRESHOLD


@dataclass(frozen=True, kw_only=True)
class Scores:
    """All in 0-1. iou, dice, accuracy, precision and recall count the pixels of all pictures
    together; mean_iou is the mean of each picture's own IoU; fraction_error is the mean absolute
    error of the water fraction. Where water is neither there nor predicted, a score is 1."""

    iou: float
    mean_iou: float
    dice: float
    accuracy: float
    precision: float
    recall: float
    fraction_error: float


def network_mask(mask: NDArray[np.bool_], input_size: tuple[int, int]) -> NDArray[np.bool_]:
    """A true mask at network size: a pixel is water where at least half of its area is."""
    height, width = input_size
    grey = mask.astype(np.uint8) * 255
    if mask.shape != input_size:
        grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
    return grey > MASK_THRESHOLD


def count_pixels(predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> NDArray[np.int64]:
    """True positives, false positives, false negatives, true negatives of each picture.

    predicted, true: (N, h, w). Returns (N, 4); counts of several batches can be concatenated.
    """
    axes = (1, 2)
    cases = (predicted & true, predicted & ~true, ~predicted & true, ~predicted & ~true)
    return np.stack([case.sum(axis=axes, dtype=np.int64) for case in cases], axis=1)


def score(counts: NDArray[np.int64]) -> Scores:
    """Scores of all pictures that were counted; counts: (N, 4) of count_pixels, N at least 1."""
    hits, false_alarms, misses, rest = (int(value) for value in counts.sum(axis=0))
    each_hit, each_alarm, each_miss = counts[:, 0], counts[:, 1], counts[:, 2]
    union = each_hit + each_alarm + each_miss
    each_iou = np.where(union == 0, 1.0, each_hit / np.maximum(union, 1))
    error = np.abs(each_alarm - each_miss) / counts.sum(axis=1)
    return Scores(
        iou=_share(hits, hits + false_alarms + misses),
        mean_iou=float(each_iou.mean()),
        dice=_share(2 * hits, 2 * hits + false_alarms + misses),
        accuracy=_share(hits + rest, hits + false_alarms + misses + rest),
        precision=_share(hits, hits + false_alarms),
        recall=_share(hits, hits + misses),
        fraction_error=float(error.mean()),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
