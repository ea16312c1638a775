"""The pure functions around a backend."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.processing import INTERPOLATIONS, halvings, logit, preprocess, to_mask, water_fraction


@pytest.mark.parametrize("rule", INTERPOLATIONS)
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (32, 48), (33, 47), (480, 640), (2160, 3840)])
def test_any_frame_becomes_an_input_of_the_network_s_size(size: tuple[int, int], rule: str) -> None:
    frame = np.zeros((*size, 3), np.uint8)
    frame[:] = (10, 20, 30)
    inputs = preprocess(frame, (32, 48), rule)
    assert inputs.shape == (32, 48, 3)
    assert inputs.dtype == np.uint8
    assert inputs.flags.c_contiguous
    assert (inputs == (30, 20, 10)).all()


def test_a_frame_of_the_right_size_is_copied_and_not_changed() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
    kept = frame.copy()
    inputs = preprocess(frame, (32, 48), "linear")
    assert (inputs == kept[..., ::-1]).all()
    inputs[:] = 0
    assert (frame == kept).all()


def test_views_that_are_not_contiguous_are_fine() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)[::2, ::-2, ::-1]
    assert (preprocess(frame, (32, 48), "linear") == frame[..., ::-1]).all()


@pytest.mark.parametrize(
    ("frame_size", "count"),
    [
        ((1080, 1920), 2),
        ((2160, 3840), 3),
        ((720, 1280), 1),
        ((480, 640), 1),
        ((447, 1920), 0),
        ((446, 1920), 0),
        ((1081, 1920), 0),
        ((1080, 1918), 1),
        ((224, 224), 0),
        ((1, 1), 0),
    ],
)
def test_a_pyramid_halves_while_sides_are_even_and_large_enough(
    frame_size: tuple[int, int], count: int
) -> None:
    assert halvings(frame_size, (224, 224)) == count


def test_a_pyramid_is_means_of_2x2_and_then_of_areas() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (4 * 48, 4 * 48, 3), np.uint8)
    half = frame.astype(np.uint16)
    for _ in range(2):
        half = (half[::2, ::2] + half[1::2, ::2] + half[::2, 1::2] + half[1::2, 1::2] + 2) // 4
    assert (preprocess(frame, (48, 48), "pyramid") == half[..., ::-1]).all()
    rest = preprocess(half.astype(np.uint8), (32, 32), "area")
    assert (preprocess(frame, (32, 32), "pyramid") == rest).all()


def test_the_mask_decides_after_enlarging_so_that_borders_run_between_pixels() -> None:
    logits = np.array([[-1.0, 3.0]], np.float32)
    mask = to_mask(logits, (1, 8), 0.5)
    # bilinear at 8 columns: -1 -1 -0.5 0.5 1.5 2.5 3 3
    assert mask.tolist() == [[False, False, False, True, True, True, True, True]]
    assert mask.dtype == np.bool_


@pytest.mark.parametrize("threshold", [0.01, 0.3, 0.5, 0.9])
def test_a_pixel_is_water_where_its_probability_is_above_the_threshold(threshold: float) -> None:
    logits = np.linspace(-8, 8, 200, dtype=np.float32).reshape(10, 20)
    mask = to_mask(logits, (10, 20), threshold)
    assert (mask == (1 / (1 + np.exp(-logits.astype(np.float64))) > threshold)).all()


@given(st.floats(0.001, 0.999))
def test_logit_is_the_inverse_of_the_sigmoid(probability: float) -> None:
    assert 1 / (1 + np.exp(-logit(probability))) == pytest.approx(probability)


def test_water_fraction_is_the_share_of_true_pixels() -> None:
    mask = np.zeros((4, 5), np.bool_)
    assert water_fraction(mask) == 0.0
    mask[0] = True
    assert water_fraction(mask) == 0.25
    assert water_fraction(~np.zeros((1, 1), np.bool_)) == 1.0
