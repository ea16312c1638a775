"""Which pictures may show one scene, by a perceptual hash of each against crops of every other."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from train.registration import SIDE, Window
from train.threads import in_parallel

ORIENTATIONS = 8
CANDIDATES = 16
"""Pictures per picture that the hash may propose."""
HASH_AGREEMENT = 0.5
"""Least agreement of two hashes, (equal bits - unequal bits) / bits."""

Proposal = tuple[int, int, Window, int]
"""Cropped picture, whole picture, the crop, the orientation of the whole one."""


def proposals(grey: Sequence[NDArray[np.uint8]]) -> list[Proposal]:
    """The likest crop and orientation of each pair that may show one scene.

    grey: (SIDE, SIDE) uint8 each.
    """
    windows, count = _windows(), len(grey)
    whole = np.concatenate(
        [_hashes([turned(picture, turn) for picture in grey]) for turn in range(ORIENTATIONS)]
    )

    def likest(first: int) -> list[tuple[float, Proposal]]:
        agreement = _hashes([_cut(grey[first], window) for window in windows]) @ whole.T
        window_of = agreement.argmax(0).reshape(ORIENTATIONS, count)
        by_turn = agreement.max(0).reshape(ORIENTATIONS, count)
        turn_of, score = by_turn.argmax(0), by_turn.max(0)
        score[first] = -1
        chosen = [int(second) for second in np.argsort(-score, kind="stable")[:CANDIDATES]]
        turns = [(second, int(turn_of[second])) for second in chosen]
        return [
            (float(score[second]), (first, second, windows[window_of[turn, second]], turn))
            for second, turn in turns
            if score[second] >= HASH_AGREEMENT
        ]

    best: dict[tuple[int, int], tuple[float, Proposal]] = {}
    for found in in_parallel(likest, range(count), "hashing pictures"):
        for score, proposal in found:
            key = (min(proposal[:2]), max(proposal[:2]))
            best[key] = max(best.get(key, (-1.0, proposal)), (score, proposal))
    return [proposal for _, (_, proposal) in sorted(best.items())]


def shrink(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """A picture at side x side."""
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)


def turned(picture: NDArray[np.generic], orientation: int) -> NDArray[np.generic]:
    """One of the eight ways to flip and turn a square by right angles; 0 leaves it."""
    made = picture.T if orientation & 4 else picture
    made = made[:, ::-1] if orientation & 1 else made
    return np.ascontiguousarray(made[::-1] if orientation & 2 else made)


def _windows() -> list[Window]:
    spans = [(0.0, 1.0)]
    spans += [(at * (1 - side), side) for side in (0.86, 0.72, 0.58) for at in (0, 0.5, 1)]
    return [(x, y, width, height) for y, height in spans for x, width in spans]


def _hashes(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """pHash: the signs of the 8 x 8 lowest DCT coefficients around their median, as (N, 64) of
    +-1/8, so that a scalar product is (equal - unequal) / 64."""
    stack = np.stack([shrink(picture, 32) for picture in pictures]).astype(np.float32)
    rows = np.arange(8)[:, None] * (np.arange(32) + 0.5)
    cosines = np.cos(np.pi / 32 * rows).astype(np.float32) * np.sqrt(2 / 32)
    cosines[0] /= np.sqrt(2)
    lowest = (cosines @ stack @ cosines.T).reshape(len(stack), 64)
    signs = lowest > np.median(lowest, axis=1, keepdims=True)
    return np.where(signs, 0.125, -0.125).astype(np.float32)


def _cut(picture: NDArray[np.uint8], window: Window) -> NDArray[np.uint8]:
    x, y, width, height = (round(share * SIDE) for share in window)
    return picture[y : y + height, x : x + width]
