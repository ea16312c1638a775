"""How far scores would move with other pictures of the same kind: bootstrap intervals."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from train.metrics import Scores, score

RESAMPLES = 2000
CONFIDENCE = 0.95
SEED = 0


def intervals(counts: NDArray[np.int64], seed: int = SEED) -> dict[str, tuple[float, float]]:
    """The 95 % interval of every score, by its name: (lower end, upper end).

    counts: (N, 8) of train.metrics.count_pixels. Percentile bootstrap (Efron & Tibshirani, "An
    Introduction to the Bootstrap", 1993, chapter 13) over pictures, not over pixels: the pixels of
    one picture are right or wrong together. The same seed gives the same intervals.
    """
    noise = np.random.default_rng(seed)
    drawn = noise.integers(0, len(counts), (RESAMPLES, len(counts)))
    values = np.array([dataclasses.astuple(score(counts[rows])) for rows in drawn])
    outside = (1 - CONFIDENCE) / 2
    lower, upper = np.quantile(values, (outside, 1 - outside), axis=0)
    names = [field.name for field in dataclasses.fields(Scores)]
    ends = zip(names, lower, upper, strict=True)
    return {name: (float(low), float(high)) for name, low, high in ends}
