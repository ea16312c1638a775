from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from train.metrics import (
    LABELS,
    LOWER_IS_BETTER,
    Scores,
    count_pixels,
    network_mask,
    score,
)


def test_scores_of_a_case_counted_by_hand() -> None:
    true = np.array([[[1, 1, 0, 0]], [[1, 0, 0, 0]]], bool)
    predicted = np.array([[[1, 0, 1, 0]], [[1, 0, 0, 0]]], bool)
    scores = score(count_pixels(predicted, true))
    assert scores.iou == pytest.approx(2 / 4)
    assert scores.mean_iou == pytest.approx((1 / 3 + 1) / 2)
    assert scores.dice == pytest.approx(4 / 6)
    assert scores.accuracy == pytest.approx(6 / 8)
    assert scores.precision == pytest.approx(2 / 3)
    assert scores.recall == pytest.approx(2 / 3)
    assert scores.fraction_error == 0.0


def test_the_water_fraction_error_is_the_mean_over_pictures() -> None:
    true = np.zeros((2, 1, 4), bool)
    predicted = np.array([[[1, 1, 0, 0]], [[0, 0, 0, 0]]], bool)
    assert score(count_pixels(predicted, true)).fraction_error == pytest.approx(0.25)


def test_no_water_found_where_none_is_counts_as_right() -> None:
    dry = np.zeros((3, 4, 4), bool)
    scores = score(count_pixels(dry, dry))
    assert (scores.iou, scores.mean_iou, scores.precision, scores.recall) == (1, 1, 1, 1)


def test_all_land_scores_nothing_where_all_is_water() -> None:
    water = np.ones((1, 4, 4), bool)
    scores = score(count_pixels(~water, water))
    assert (scores.iou, scores.recall, scores.fraction_error) == (0, 0, 1)


def test_a_network_pixel_is_water_where_at_least_half_of_it_is() -> None:
    mask = np.array([[1, 1, 1, 0], [0, 0, 0, 0]], bool)
    np.testing.assert_array_equal(network_mask(mask, (1, 2)), [[True, False]])


def _square(size: int, start: int, end: int) -> NDArray[np.bool_]:
    mask = np.zeros((1, size, size), bool)
    mask[:, start:end, start:end] = True
    return mask


def _boundary_f1(predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    return score(count_pixels(predicted, true)).boundary_f1


def test_boundaries_agree_up_to_three_quarters_of_a_hundredth_of_the_diagonal() -> None:
    true = _square(224, 60, 160)  # 2.4 pixels: two agree, three do not
    assert _boundary_f1(np.roll(true, 2, axis=1), true) == 1
    three = _boundary_f1(np.roll(true, 3, axis=1), true)
    sides = 2 * 98 / 396  # the two sides along the shift still lie on each other
    assert sides - 0.02 < three < sides + 0.04


def test_boundary_f1_of_a_case_counted_by_hand() -> None:
    true = _square(40, 10, 20)  # 36 boundary pixels
    predicted = true | _square(40, 30, 32)  # and 4 far from any
    precision, recall = 36 / 40, 36 / 36
    expected = 2 * precision * recall / (precision + recall)
    assert _boundary_f1(predicted, true) == pytest.approx(expected)


def test_the_edge_of_the_picture_is_no_boundary() -> None:
    water, dry = np.ones((1, 20, 20), bool), np.zeros((1, 20, 20), bool)
    assert _boundary_f1(water, water) == 1
    assert _boundary_f1(water, dry) == 1  # neither has a boundary: that is for IoU to say
    assert _boundary_f1(_square(20, 5, 15), dry) == 0
    assert _boundary_f1(dry, _square(20, 5, 15)) == 0


def test_every_score_has_a_name_for_people() -> None:
    assert list(LABELS) == [field.name for field in dataclasses.fields(Scores)]
    assert set(LOWER_IS_BETTER) <= set(LABELS)
