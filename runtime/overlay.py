"""How water is shown to people: tinted, outlined, with a caption."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

WATER_BGR = (255, 136, 16)
OUTLINE_BGR = (255, 244, 214)
TINT = 0.42
"""Opacity of the tint: the water's own ripples and what drifts in it stay visible."""
BAND_ROWS = 64
"""Rows that are drawn at once, an even number, as videos want it."""
PANEL_OPACITY = 0.62
CAPTION_SHARE = 0.05
"""Height of the caption's letters as a share of the frame's shorter side."""
SMALLEST_LETTERS, LARGEST_LETTERS = 11, 64


def draw_overlay(
    image: NDArray[np.uint8], mask: NDArray[np.bool_], caption: tuple[str, str]
) -> NDArray[np.uint8]:
    """A copy of a frame with its water tinted and outlined and a caption at the bottom left.

    image: (H, W, 3) uint8 BGR. mask: (H, W) bool. caption: what is said loudly, and what quietly.
    A frame too small for the caption goes without.
    """
    return np.concatenate(list(overlay_bands(image, mask, caption)))


def overlay_bands(
    image: NDArray[np.uint8], mask: NDArray[np.bool_], caption: tuple[str, str]
) -> Iterator[NDArray[np.uint8]]:
    """The same in bands of BAND_ROWS rows, from the top: what drawing takes beside the frame stays
    small, and in the processor's cache."""
    placed = _place_caption(image.shape[:2], caption)
    for top in range(0, len(image), BAND_ROWS):
        band = _draw_water(image, mask.view(np.uint8), top)
        if placed is not None:
            _draw_panel(band, placed, top)
        yield band


def _draw_water(image: NDArray[np.uint8], water: NDArray[np.uint8], top: int) -> NDArray[np.uint8]:
    """BAND_ROWS rows from `top` on. Water that reaches the frame's edge goes on behind it: nothing
    is drawn along the edge."""
    rows = slice(top, top + BAND_ROWS)
    shown, wet = image[rows], water[rows]
    band: NDArray[np.uint8]
    band = cv2.addWeighted(shown, 1.0 - TINT, _flat(shown.shape, WATER_BGR), TINT, 0.0)
    cv2.copyTo(shown, 1 - wet, band)
    thickness = max(1, round(min(image.shape[:2]) / 300))
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (thickness + 1, thickness + 1))
    above = min(top, thickness)
    around = water[top - above : top + BAND_ROWS + thickness]
    outline = cv2.morphologyEx(around, cv2.MORPH_GRADIENT, brush)[above : above + len(wet)]
    cv2.copyTo(_flat(shown.shape, OUTLINE_BGR), outline, band)
    return band


def caption_of(water_fraction: float, timestamp_s: float, live: bool) -> tuple[str, str]:
    """The caption of an observation: ("Water 34.2 %", "00:12.4"), or the local time when live."""
    return f"Water {water_fraction * 100:.1f} %", _clock(timestamp_s, live)


def _clock(timestamp_s: float, live: bool) -> str:
    if live:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(timestamp_s))
    minutes, seconds = divmod(round(max(0.0, timestamp_s) * 10) / 10, 60)
    hours, minutes = divmod(int(minutes), 60)
    return (f"{hours}:" if hours else "") + f"{minutes:02d}:{seconds:04.1f}"


@functools.lru_cache(maxsize=8)
def _flat(shape: tuple[int, ...], colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    return np.full(shape, colour, dtype=np.uint8)


@functools.lru_cache(maxsize=4)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@dataclass(frozen=True)
class Placed:
    """The caption's panel, (H, W, 4) uint8 RGBA, and where its corner lies in the frame."""

    panel: NDArray[np.uint8]
    top: int
    left: int


def _place_caption(size: tuple[int, int], caption: tuple[str, str]) -> Placed | None:
    """None where the frame, (height, width), is too small."""
    height, width = size
    letters = round(min(height, width) * CAPTION_SHARE)
    letters = min(max(letters, SMALLEST_LETTERS), LARGEST_LETTERS)
    margin = letters // 2
    if letters + 2 * margin > height:
        return None
    panel = np.asarray(_panel(caption, letters))
    if panel.shape[0] + 2 * margin > height or panel.shape[1] + 2 * margin > width:
        return None
    return Placed(panel, height - margin - panel.shape[0], margin)


def _draw_panel(band: NDArray[np.uint8], placed: Placed, band_top: int) -> None:
    """What of the panel lies in a band that begins at the frame's row band_top."""
    first = max(placed.top, band_top)
    last = min(placed.top + len(placed.panel), band_top + len(band))
    if first >= last:
        return
    panel = placed.panel[first - placed.top : last - placed.top]
    under = band[first - band_top : last - band_top, placed.left : placed.left + panel.shape[1]]
    opacity = panel[..., 3] * np.float32(1 / 255)
    letters_bgr = np.ascontiguousarray(panel[..., 2::-1])
    under[:] = cv2.blendLinear(under, letters_bgr, 1 - opacity, opacity)


def _panel(caption: tuple[str, str], letters: int) -> Image.Image:
    """A rounded dark panel with the caption, RGBA; as wide as its text."""
    loud, quiet = caption
    large, small = _font(letters), _font(max(SMALLEST_LETTERS - 2, round(letters * 0.72)))
    padding, gap = round(letters * 0.6), round(letters * 0.7)
    loud_width, quiet_width = round(large.getlength(loud)), round(small.getlength(quiet))
    size = (2 * padding + loud_width + gap + quiet_width, letters + round(1.2 * padding))
    panel = Image.new("RGBA", size, (12, 20, 30, 0))
    pen = ImageDraw.Draw(panel)
    background = (12, 20, 30, round(255 * PANEL_OPACITY))
    pen.rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), radius=letters // 2, fill=background)
    baseline = round(size[1] / 2 + letters * 0.36)
    pen.text((padding, baseline), loud, font=large, fill=(255, 255, 255, 255), anchor="ls")
    place = (padding + loud_width + gap, baseline)
    pen.text(place, quiet, font=small, fill=(190, 208, 222, 255), anchor="ls")
    return panel
