"""Whether masks lie with the wrong photographs: how well every mask fits every picture.

A mask fits when colour, texture and height in the picture differ between its inside and its
outside, and when its border runs along edges. The best one-to-one assignment of masks to pictures
is compared with the given one; where it moves masks in a cycle (a swap is a cycle of two) and the
fit gains clearly, the masks are suspected of being mixed up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from train.threads import in_parallel

SIDE = 64
BLOCK = 1024
"""Pictures whose masks are compared with each other; neighbouring blocks overlap by half."""
SUSPECTED = 0.1
"""Least gain of fit per picture that is worth a look."""
NEARLY_CERTAIN = 0.3
"""Gain of fit per picture that correct masks do not reach. Swaps planted in real photographs of
floods gain 1.4 in the median and 0.56 at the first percentile, correct masks never more than 0."""
_PRICES = (0.4, 0.2, SUSPECTED)
_EDGE_WEIGHT = 0.1
_RIDGE = 0.01
"""Added to the variances of features with variance 1, so that flat areas do not win."""


@dataclass(frozen=True, kw_only=True)
class Swap:
    """Masks that seem mixed up: picture members[k] fits the mask of members[k + 1], the last one
    that of the first. score: mean gain of fit per picture, in nats per pixel."""

    members: tuple[int, ...]
    score: float


def suspected_swaps(
    thumbnails: NDArray[np.uint8], masks: NDArray[np.float32], scenes: Sequence[int]
) -> list[Swap]:
    """Mixed-up masks, the strongest suspicion first.

    thumbnails: (N, h, w, 3) uint8 RGB. masks: (N, SIDE, SIDE) water share 0-1. Both in an order in
    which mix-ups are neighbours (file names): beyond BLOCK, only nearby ones are compared.
    scenes: N labels; masks that change places within one scene are no mix-up.
    """
    found: dict[tuple[int, ...], Swap] = {}
    starts = range(0, max(1, len(masks) - BLOCK // 2), BLOCK // 2)
    for start in starts:
        block = slice(start, start + BLOCK)
        for cycle, score in _gaining_cycles(mask_fits(thumbnails[block], masks[block])):
            members = tuple(start + member for member in cycle)
            if len({scenes[member] for member in members}) > 1:
                found[members] = Swap(members=members, score=score)
    return sorted(found.values(), key=lambda swap: -swap.score)


def mask_fits(thumbnails: NDArray[np.uint8], masks: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N, N): how well picture i (row) fits mask j (column); only differences within rows and
    columns mean something. Shapes as in suspected_swaps."""
    weights = masks.reshape(len(masks), -1)
    borders = np.stack([_border(mask) for mask in masks])

    def fits_of(small: NDArray[np.uint8]) -> NDArray[np.float64]:
        features, edges = _features(small)
        return _separation(features, weights) + _EDGE_WEIGHT * (borders @ edges)

    return np.stack(in_parallel(fits_of, thumbnails, "trying masks on pictures"))


def _gaining_cycles(fits: NDArray[np.float64]) -> list[tuple[tuple[int, ...], float]]:
    """Cycles of the best assignment and their gain per picture. Each move has to pay a price, a
    high one first, so that no weak move is drawn into a cycle that explains itself without it."""
    left = np.arange(len(fits))
    cycles = []
    for price in _PRICES:
        among = fits[np.ix_(left, left)]
        _, mask_of = linear_sum_assignment(among + price * np.eye(len(left)), maximize=True)
        gains = among[np.arange(len(left)), mask_of] - among.diagonal()
        taken: list[int] = []
        for cycle in _cycles(mask_of):
            score = float(gains[cycle].mean())
            if score >= price:
                cycles.append((tuple(left[cycle].tolist()), score))
                taken += cycle
        left = np.delete(left, taken)
    return cycles


def _cycles(successor: NDArray[np.intp]) -> list[list[int]]:
    """The cycles of a permutation that move anything, each from its lowest member on."""
    cycles, seen = [], set[int]()
    for start in range(len(successor)):
        cycle = []
        while start not in seen:
            seen.add(start)
            cycle.append(start)
            start = int(successor[start])
        if len(cycle) > 1:
            cycles.append(cycle)
    return cycles


def _features(small: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(SIDE * SIDE, 5) of Lab, texture and height with variance 1; (SIDE * SIDE,) edge ranks
    from -0.5 to 0.5."""
    lab = cv2.cvtColor(_shrink(small), cv2.COLOR_RGB2LAB).astype(np.float32)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    mean = cv2.GaussianBlur(grey, (0, 0), 1.5)
    variance = cv2.GaussianBlur(grey * grey, (0, 0), 1.5) - mean * mean
    texture = np.log1p(np.maximum(_shrink(variance), 0))
    height = np.repeat(np.linspace(-1, 1, SIDE, dtype=np.float32), SIDE)
    features = np.column_stack([lab.reshape(-1, 3), texture.ravel(), height])
    smooth = cv2.GaussianBlur(lab, (0, 0), 1)
    slopes = cv2.Sobel(smooth, cv2.CV_32F, 1, 0) ** 2 + cv2.Sobel(smooth, cv2.CV_32F, 0, 1) ** 2
    ranks = slopes.sum(2).ravel().argsort(kind="stable").argsort(kind="stable")
    edges = ranks.astype(np.float32) / ranks.size - 0.5
    return (features - features.mean(0)) / (features.std(0) + 1e-3), edges


def _shrink(picture: NDArray[np.generic]) -> NDArray[np.generic]:
    return cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def _border(mask: NDArray[np.float32]) -> NDArray[np.float32]:
    """(SIDE * SIDE,) weights along the mask's border; the picture's own rim does not count."""
    water = (mask > 0.5).astype(np.uint8)
    border = cv2.morphologyEx(water, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    border = np.pad(border[1:-1, 1:-1], 1).astype(np.float32).ravel()
    return border / np.sqrt(border.sum() + 10)


def _separation(features: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N,): by how many nats per pixel two Gaussians, one inside and one outside of mask j,
    describe the features better than a single one. weights: (N, pixels) water share 0-1."""
    pixels, width = features.shape
    upper = np.triu_indices(width)
    moments = np.column_stack([features, features[:, upper[0]] * features[:, upper[1]]])
    total = moments.sum(0, dtype=np.float64)
    inside = (weights @ moments).astype(np.float64)
    area = weights.sum(1, dtype=np.float64)
    within = area * _log_volume(inside, area, width)
    without = (pixels - area) * _log_volume(total - inside, pixels - area, width)
    whole = _log_volume(total[None], np.array([float(pixels)]), width)
    return (whole - (within + without) / pixels) / 2


def _log_volume(
    sums: NDArray[np.float64], area: NDArray[np.float64], width: int
) -> NDArray[np.float64]:
    """Log-determinant of the covariance that sums of features and of their products give."""
    means = sums / np.maximum(area, 1)[:, None]
    upper = np.triu_indices(width)
    covariance = np.zeros((len(sums), width, width))
    covariance[:, upper[0], upper[1]] = covariance[:, upper[1], upper[0]] = means[:, width:]
    centre = means[:, :width]
    covariance -= centre[:, :, None] * centre[:, None, :]
    return np.linalg.slogdet(covariance + _RIDGE * np.eye(width))[1]
