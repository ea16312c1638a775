from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from train.cache import Pictures
from train.compute import Compute
from train.summary.numbers import measure
from train.summary.pictures import FALSE_WATER, MISSED_WATER, rows, spread, worst

CPU = Compute(device=torch.device("cpu"), half=None)


class LeftHalf(nn.Module):
    """Sees water in the left half, whatever the picture."""

    def forward(self, pictures: Tensor) -> Tensor:
        logits = torch.full_like(pictures[:, :1], -9.0)
        logits[..., : pictures.shape[-1] // 2] = 9.0
        return logits


def _pictures(*shares: float) -> Pictures:
    """Grey pictures with water from the left up to each share of the width."""
    masks = np.stack([np.tile(np.arange(40) < 40 * share, (20, 1)) for share in shares])
    images = np.full((len(shares), 20, 40, 3), 128, np.uint8)
    return Pictures(images=images, masks=masks, names=tuple(f"p{share:g}" for share in shares))


def _decode(uri: str) -> NDArray[np.uint8]:
    kind, _, content = uri.partition(";base64,")
    assert kind == "data:image/webp"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))).convert("RGB"))


def test_the_worst_come_first_and_say_what_is_wrong() -> None:
    pictures = _pictures(0.5, 0.2, 0.9)
    numbers = measure(LeftHalf(), pictures, CPU, 0.5)
    order = worst(numbers)
    assert order == [1, 2, 0]
    shown = rows(LeftHalf(), pictures, order, numbers, CPU, 0.5)
    assert [row.name for row in shown] == ["p0.2", "p0.9", "p0.5"]
    assert [row.iou for row in shown] == pytest.approx([0.2 / 0.5, 0.5 / 0.9, 1])
    assert [row.fault for row in shown] == ["false water 30.0%", "missed water 40.0%", "no error"]
    assert shown[1].true_fraction == pytest.approx(0.9)
    assert shown[1].predicted_fraction == pytest.approx(0.5)


def test_the_error_is_red_where_water_is_false_and_yellow_where_it_is_missed() -> None:
    pictures = _pictures(0.2, 0.9)
    numbers = measure(LeftHalf(), pictures, CPU, 0.5)
    for row, colour, place in zip(
        rows(LeftHalf(), pictures, [0, 1], numbers, CPU, 0.5),
        (FALSE_WATER, MISSED_WATER),
        (14, 28),
        strict=True,
    ):
        error = _decode(row.error)
        assert error.shape == (20, 40, 3)
        distance = np.abs(error[10, place].astype(int) - colour).max()
        assert distance < 60
        assert np.ptp(error[10, 38].astype(int)) < 12  # land that was seen as land is grey
        assert np.ptp(_decode(row.image)[10, 10].astype(int)) < 12


def test_the_cross_section_is_even_and_never_longer_than_the_split() -> None:
    assert spread(41) == [0, 8, 16, 24, 32, 40]
    assert spread(3) == [0, 1, 2]
    assert spread(1) == [0]
