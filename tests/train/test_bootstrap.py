from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from train.bootstrap import intervals
from train.metrics import LABELS, count_pixels, score


def _counts(pictures: int, right: float) -> NDArray[np.int64]:
    """Pictures of which each is as good as chance made it: all of its pixels right or wrong."""
    noise = np.random.default_rng(pictures)
    true = noise.random((pictures, 12, 12)) > 0.5
    wrong = noise.random((pictures, 1, 1)) > right
    return count_pixels(true ^ wrong, true)


def test_every_score_lies_in_its_interval_and_the_seed_decides() -> None:
    counts = _counts(40, 0.8)
    found = intervals(counts)
    assert list(found) == list(LABELS)
    for name, value in dataclasses.asdict(score(counts)).items():
        low, high = found[name]
        assert low <= value <= high
    assert found == intervals(counts)
    assert found != intervals(counts, seed=1)


def test_pictures_are_drawn_and_not_pixels() -> None:
    """The accuracy is that of a coin thrown once per picture, so its interval is that of a
    binomial; drawn by pixels it would be twelve times as narrow."""
    low, high = intervals(_counts(100, 0.8))["accuracy"]
    deviation = np.sqrt(0.8 * 0.2 / 100)
    assert high - low == pytest.approx(2 * 1.96 * deviation, rel=0.25)


def test_four_times_the_pictures_halve_the_interval() -> None:
    few, many = (intervals(_counts(number, 0.7))["mean_iou"] for number in (100, 400))
    assert (few[1] - few[0]) / (many[1] - many[0]) == pytest.approx(2, rel=0.25)


def test_one_picture_leaves_no_interval() -> None:
    low, high = intervals(_counts(1, 1.0))["iou"]
    assert low == high == 1
