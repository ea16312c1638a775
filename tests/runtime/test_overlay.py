"""The overlay: water is tinted and outlined, land stays as it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from runtime import overlay
from runtime.overlay import OUTLINE_BGR, TINT, WATER_BGR, caption_of, draw_overlay


def test_water_is_tinted_outlined_and_land_is_untouched() -> None:
    image = np.full((200, 300, 3), 100, np.uint8)
    mask = np.zeros((200, 300), np.bool_)
    mask[:80, 100:] = True
    result = draw_overlay(image, mask, ("", ""))
    tinted = 100 * (1 - TINT) + np.array(WATER_BGR) * TINT
    np.testing.assert_allclose(result[40, 200], tinted, atol=1)
    np.testing.assert_allclose(result[40, 100], OUTLINE_BGR, atol=60)
    assert (result[100:150] == 100).all()
    assert (image == 100).all(), "the frame itself is not drawn on"


@pytest.mark.parametrize("size", [(200, 300), (1080, 1920)])
def test_nothing_is_drawn_along_the_edge_of_the_frame(size: tuple[int, int]) -> None:
    height, width = size
    image = np.full((*size, 3), 100, np.uint8)
    mask = np.zeros(size, np.bool_)
    mask[: height // 2, width // 3 :] = True
    result = draw_overlay(image, mask, ("", ""))
    tinted = 100 * (1 - TINT) + np.array(WATER_BGR) * TINT
    for edge in (result[0, width // 2 :], result[: height // 3, -1]):
        np.testing.assert_allclose(edge, np.broadcast_to(tinted, edge.shape), atol=1)
    np.testing.assert_allclose(result[height // 4, width // 3], OUTLINE_BGR, atol=60)
    everywhere = draw_overlay(image, np.ones(size, np.bool_), ("", ""))
    assert (everywhere[: height // 2] == everywhere[0, 0]).all(), "the caption is below"


def test_the_caption_is_at_the_bottom_left_and_readable_on_black_and_white() -> None:
    mask = np.zeros((360, 640), np.bool_)
    for shade in (0, 255):
        image = np.full((360, 640, 3), shade, np.uint8)
        result = draw_overlay(image, mask, ("Water 1.0 %", "00:01.0"))
        rows, columns = np.nonzero((result != shade).any(axis=-1))
        assert rows.min() > 300
        assert columns.max() < 320
        assert np.ptp(result[rows, columns]) > 100


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (16, 16), (30, 4000), (1080, 1920)])
@pytest.mark.parametrize("water", [False, True])
def test_any_size_of_frame_can_be_drawn(size: tuple[int, int], water: bool) -> None:
    image = np.full((*size, 3), 100, np.uint8)
    result = draw_overlay(image, np.full(size, water), caption_of(1.0, 3.0, False))
    assert result.shape == image.shape
    assert (result[0, 0] != 100).any() == water


@pytest.mark.parametrize(
    ("seconds", "clock"),
    [
        (0, "00:00.0"),
        (73.44, "01:13.4"),
        (59.96, "01:00.0"),
        (3725.5, "1:02:05.5"),
        (-1, "00:00.0"),
    ],
)
def test_the_caption_of_a_file_tells_the_time_in_it(seconds: float, clock: str) -> None:
    assert caption_of(0.3421, seconds, False) == ("Water 34.2 %", clock)


def test_the_caption_of_a_camera_tells_the_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    _, clock = caption_of(0.0, 1_700_000_000.0, True)
    assert clock.startswith("2023-11-1")
    assert len(clock) == len("2023-11-14 22:13:20")


@pytest.mark.parametrize("size", [(1080, 1920), (719, 1281), (65, 200), (130, 3), (1, 1)])
def test_nothing_shows_where_one_band_ends_and_the_next_begins(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    noise = np.random.default_rng(0)
    image = noise.integers(0, 256, (*size, 3), np.uint8)
    mask = cv2.resize(noise.random((9, 7), np.float32), size[::-1]) > 0.5
    banded = draw_overlay(image, mask, ("Water 12.3 %", "00:01.0"))
    monkeypatch.setattr(overlay, "BAND_ROWS", 2000)
    np.testing.assert_array_equal(banded, draw_overlay(image, mask, ("Water 12.3 %", "00:01.0")))
