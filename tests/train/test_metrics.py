from __future__ import annotations

import numpy as np
import pytest

from train.metrics import count_pixels, network_mask, score


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
