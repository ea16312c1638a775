"""What a report counts on val: probabilities by truth, and from these sweep and calibration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from torch import nn

from runtime.processing import logit
from train.cache import Pictures
from train.compute import Compute
from train.console import console, quiet
from train.metrics import count_pixels
from train.validate import BATCH, predict

THRESHOLDS = np.arange(1, 100) / 100
STEPS = len(THRESHOLDS) + 1
CALIBRATION_BINS = 20
"""Steps of a hundredth for thresholds, of a twentieth for calibration."""


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Scores of all pixels together at each of THRESHOLDS, (99,) each."""

    iou: NDArray[np.float64]
    dice: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]

    @property
    def best(self) -> int:
        """Index of the threshold with the highest IoU; of equal ones the one nearest to 0.5."""
        equal = np.flatnonzero(self.iou == self.iou.max())
        return int(equal[np.argmin(np.abs(THRESHOLDS[equal] - 0.5))])


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Bins of equal width over the probability of water, (20,) each. predicted: mean probability.
    observed: share of pixels that are water. weight: share of all pixels. Empty bins are NaN."""

    predicted: NDArray[np.float64]
    observed: NDArray[np.float64]
    weight: NDArray[np.float64]

    @property
    def error(self) -> float:
        """Expected calibration error, 0-1: the mean over bins, weighted by their pixels, of
        |observed - predicted| (Naeini, Cooper & Hauskrecht, "Obtaining well calibrated
        probabilities using Bayesian binning", AAAI 2015)."""
        return float(np.nansum(self.weight * np.abs(self.observed - self.predicted)))

    @property
    def bias(self) -> float:
        """Mean probability minus share of water, -1 to 1: above 0 it expects too much water."""
        return float(np.nansum(self.weight * (self.predicted - self.observed)))


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """Of N pictures. counts: (N, 8) of count_pixels at the run's threshold. histogram: (2, 100)
    pixels by truth (land, water) and hundredths of probability. sums: (2, 100) of probabilities."""

    counts: NDArray[np.int64]
    histogram: NDArray[np.int64]
    sums: NDArray[np.float64]

    @cached_property
    def sweep(self) -> Sweep:
        """What other thresholds would give."""
        land, water = (side[::-1].cumsum()[::-1][1:] for side in self.histogram)
        there = self.histogram[1].sum()
        return Sweep(
            iou=_shares(water, there + land),
            dice=_shares(2 * water, there + land + water),
            precision=_shares(water, land + water),
            recall=_shares(water, np.full_like(water, there)),
        )

    @cached_property
    def calibration(self) -> Calibration:
        """Whether water is there as often as the probability says."""
        pixels = self.histogram.reshape(2, CALIBRATION_BINS, -1).sum(axis=2)
        sums = self.sums.reshape(2, CALIBRATION_BINS, -1).sum(axis=(0, 2))
        whole = pixels.sum(axis=0)
        with np.errstate(invalid="ignore"):
            return Calibration(
                predicted=sums / whole, observed=pixels[1] / whole, weight=whole / whole.sum()
            )


def measure(
    model: nn.Module, pictures: Pictures, compute: Compute, threshold: float, progress: bool = False
) -> Numbers:
    """Counts over all pictures, in batches, so that memory does not grow with their number.

    threshold: a probability. progress: with a progress bar of its own.
    """
    counts: list[NDArray[np.int64]] = []
    histogram, sums = np.zeros((2, STEPS), np.int64), np.zeros((2, STEPS))
    starts = range(0, len(pictures), BATCH)
    hidden = quiet or not progress
    for start in track(starts, "scoring val", console=console, transient=True, disable=hidden):
        masks = pictures.masks[start : start + BATCH]
        logits = predict(model, pictures.images[start : start + BATCH], compute)[:, 0].cpu().numpy()
        counts.append(count_pixels(logits > np.float32(logit(threshold)), masks))
        for wet, values in enumerate(_by_truth(logits, masks)):
            steps = np.searchsorted(_EDGES, values, side="left")
            histogram[wet] += np.bincount(steps, minlength=STEPS)
            with np.errstate(over="ignore"):
                probabilities = 1 / (1 + np.exp(-values.astype(np.float64)))
            sums[wet] += np.bincount(steps, probabilities, minlength=STEPS)
    return Numbers(counts=np.concatenate(counts), histogram=histogram, sums=sums)


_EDGES = np.array([logit(threshold) for threshold in THRESHOLDS], np.float32)
"""Thresholds as logits: a pixel of step k is water at the first k of them, as in the runtime."""


def _by_truth(
    logits: NDArray[np.float32], masks: NDArray[np.bool_]
) -> Iterator[NDArray[np.float32]]:
    yield logits[~masks]
    yield logits[masks]


def _shares(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(whole == 0, 1.0, part / np.maximum(whole, 1))
