from __future__ import annotations

import math

import numpy as np
import pytest

from export.parity import LIMITS, NAMES, at_least_a_pixel, check, compare
from runtime.errors import ParityError
from runtime.manifest import PRECISIONS


def logits(*frames: list[float]) -> np.ndarray:
    return np.array(frames, np.float32)[:, None, None, :]


def test_equal_logits_differ_by_nothing() -> None:
    same = logits([-1, 2, 3, -4])
    truth = np.array([[[False, True, True, False]]])
    parity = compare(same, same, 0.5, truth)
    assert (parity.max_abs, parity.mean_abs, parity.q999_abs, parity.flipped) == (0, 0, 0, 0)
    assert (parity.fraction_difference, parity.iou_drop, parity.frames) == (0, 0, 1)


def test_the_numbers_are_what_their_names_say() -> None:
    reference = logits([-1, 2, 3, -4], [5, 5, -5, -5])
    candidate = logits([1, 2, 3, -4], [5, 5, -5, -5.5])
    parity = compare(reference, candidate, 0.5)
    assert parity.max_abs == 2
    assert parity.mean_abs == pytest.approx(2.5 / 8)
    assert parity.flipped == 1 / 8
    assert parity.fraction_difference == 1 / 4, "of the one frame that changed, not of all"
    assert parity.iou_drop is None


def test_flips_that_cancel_out_leave_the_water_fraction_but_are_counted() -> None:
    parity = compare(logits([-1, 1, 3, -4]), logits([1, -1, 3, -4]), 0.5)
    assert parity.fraction_difference == 0
    assert parity.flipped == 0.5


def test_the_threshold_decides_what_flips() -> None:
    low, high = logits([0.5]), logits([1.5])
    assert compare(low, high, 0.5).flipped == 0
    assert compare(low, high, 1 / (1 + math.exp(-1))).flipped == 1


def test_iou_drop_counts_what_the_candidate_loses_against_true_masks() -> None:
    truth = np.array([[[True, True, False, False]]])
    parity = compare(logits([1, 1, -1, -1]), logits([1, -1, -1, -1]), 0.5, truth)
    assert parity.iou_drop == 0.5
    assert compare(logits([1, -1, -1, -1]), logits([1, 1, -1, -1]), 0.5, truth).iou_drop == -0.5


@pytest.mark.parametrize("precision", LIMITS)
@pytest.mark.parametrize("size", [(32, 48), (80, 80), (224, 224), (384, 640)])
def test_one_pixel_on_the_threshold_never_refuses_an_export(
    precision: str, size: tuple[int, int]
) -> None:
    reference = np.full((3, 1, *size), 5, np.float32)
    reference[1, 0, 0, 0] = 1e-6
    candidate = reference.copy()
    candidate[1, 0, 0, 0] = -1e-6
    limits = at_least_a_pixel(LIMITS[precision], 3, size)
    shares = {name: limits[name] for name in ("flipped", "fraction_difference") if name in limits}
    check(compare(reference, candidate, 0.5), shares, "model.onnx")


def test_more_than_one_pixel_still_does() -> None:
    reference = np.full((2, 1, 32, 48), 5, np.float32)
    candidate = reference.copy()
    candidate[1, 0, 0, :2] = -5
    limits = at_least_a_pixel(LIMITS["fp32"], 2, (32, 48))
    assert limits["max_abs"] == LIMITS["fp32"]["max_abs"]
    shares = {name: limits[name] for name in ("flipped", "fraction_difference")}
    with pytest.raises(ParityError, match="share of mask pixels that flip is"):
        check(compare(reference, candidate, 0.5), shares, "model.onnx")
    assert at_least_a_pixel({"flipped": 0.0}, 2, (32, 48)) == {"flipped": 0.0}, "none is none"
    assert at_least_a_pixel(LIMITS["fp32"], 16, (512, 512)) == LIMITS["fp32"]


@pytest.mark.parametrize("precision", LIMITS)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_logits_that_are_not_finite_never_pass(precision: str, bad: float) -> None:
    parity = compare(logits([1] * 10000), logits([1] * 9999 + [bad]), 0.5, None)
    with pytest.raises(ParityError, match="differs from PyTorch"):
        check(parity, {"max_abs": 1.0, **LIMITS[precision]}, "model.onnx")


@pytest.mark.parametrize("precision", LIMITS)
def test_every_limit_is_of_a_number_that_is_shown_and_of_a_known_precision(precision: str) -> None:
    assert precision in PRECISIONS
    assert set(LIMITS[precision]) <= set(NAMES)


def test_the_error_names_the_number_its_value_and_the_limit() -> None:
    parity = compare(logits([1, 1, 1, 1]), logits([1, 1, 1, 1.25]), 0.5)
    with pytest.raises(ParityError, match=r"largest logit difference is 0.25, the limit is 0.001"):
        check(parity, LIMITS["fp32"], "model.onnx")
    check(parity, {"flipped": 0.0}, "model.onnx")
