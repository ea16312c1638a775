from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from runtime.processing import logit
from train.cache import Pictures
from train.compute import Compute
from train.metrics import count_pixels, score
from train.summary.numbers import THRESHOLDS, Numbers, measure
from train.validate import predict

CPU = Compute(device=torch.device("cpu"), half=None)


class Redness(nn.Module):
    """Logits that are high where the picture is red."""

    def forward(self, pictures: Tensor) -> Tensor:
        return 1.5 * pictures[:, :1]


def _pictures(count: int) -> Pictures:
    """Noise whose red says how likely water is, more or less."""
    noise = np.random.default_rng(count)
    images = noise.integers(0, 256, (count, 16, 24, 3), np.uint8)
    masks = images[..., 0] + noise.normal(0, 60, (count, 16, 24)) > 140
    return Pictures(images=images, masks=masks, names=tuple(str(n) for n in range(count)))


@pytest.fixture(scope="module")
def measured() -> tuple[Pictures, Numbers]:
    pictures = _pictures(11)  # more than one batch
    return pictures, measure(Redness(), pictures, CPU, threshold=0.3)


def test_counts_are_those_of_the_runs_threshold(measured: tuple[Pictures, Numbers]) -> None:
    pictures, numbers = measured
    logits = predict(Redness(), pictures.images, CPU)[:, 0].numpy()
    expected = count_pixels(logits > np.float32(logit(0.3)), pictures.masks)
    np.testing.assert_array_equal(numbers.counts, expected)
    assert numbers.histogram.sum() == pictures.masks.size


def test_the_sweep_is_what_each_threshold_gives(measured: tuple[Pictures, Numbers]) -> None:
    pictures, numbers = measured
    logits = predict(Redness(), pictures.images, CPU)[:, 0].numpy()
    for index in (0, 20, 49, 70, 98):
        decided = logits > np.float32(logit(THRESHOLDS[index]))
        expected = score(count_pixels(decided, pictures.masks))
        for name in ("iou", "dice", "precision", "recall"):
            assert getattr(numbers.sweep, name)[index] == pytest.approx(getattr(expected, name))
    assert numbers.sweep.iou[numbers.sweep.best] == numbers.sweep.iou.max()


def test_calibration_of_a_case_counted_by_hand() -> None:
    """Of 100 pixels said to be water with 0.225, 40 are; of 100 with 0.925, 90 are."""
    histogram, sums = np.zeros((2, 100), np.int64), np.zeros((2, 100))
    for step, probability, water in ((22, 0.225, 40), (92, 0.925, 90)):
        for wet, pixels in ((0, 100 - water), (1, water)):
            histogram[wet, step] = pixels
            sums[wet, step] = pixels * probability
    found = Numbers(counts=np.zeros((0, 8), np.int64), histogram=histogram, sums=sums).calibration
    assert found.weight[4] == found.weight[18] == 0.5
    assert found.predicted[[4, 18]] == pytest.approx([0.225, 0.925])
    assert found.observed[[4, 18]] == pytest.approx([0.4, 0.9])
    assert found.error == pytest.approx((0.175 + 0.025) / 2)
    assert found.bias == pytest.approx((0.225 - 0.4 + 0.925 - 0.9) / 2)
    assert np.isnan(found.predicted[0])


def test_a_network_that_is_sure_and_wrong_has_the_greatest_calibration_error() -> None:
    images = np.zeros((2, 8, 8, 3), np.uint8)
    images[..., 0] = 255
    dry = Pictures(images=images, masks=np.zeros((2, 8, 8), bool), names=("a", "b"))

    class Sure(Redness):
        def forward(self, pictures: Tensor) -> Tensor:
            return 1000 * super().forward(pictures)

    found = measure(Sure(), dry, CPU, threshold=0.5)
    assert found.calibration.error == pytest.approx(1)
    assert found.calibration.bias == pytest.approx(1)
    assert found.sweep.iou.max() == 0
    assert THRESHOLDS[found.sweep.best] == 0.5  # all are equal: nothing speaks for another one


def test_probabilities_at_a_threshold_are_not_above_it() -> None:
    images = np.full((1, 4, 4, 3), 0, np.uint8)
    pictures = Pictures(images=images, masks=np.ones((1, 4, 4), bool), names=("a",))

    class Undecided(nn.Module):
        def forward(self, pictures: Tensor) -> Tensor:
            return 0 * pictures[:, :1]

    found = measure(Undecided(), pictures, CPU, threshold=0.5)
    assert found.sweep.recall[[48, 49]].tolist() == [1.0, 0.0]
    assert score(found.counts).recall == 0
