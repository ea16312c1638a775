"""Masks are exact pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from runtime.sinks import Outputs
from runtime.sinks.masks import encode_mask
from tests.runtime.observations import observation, write_all


def test_masks_are_png_of_0_and_255_at_frame_size_under_the_frames_name(tmp_path: Path) -> None:
    write_all(Outputs(masks=tmp_path / "masks"), [observation(3, 0.3, (33, 47))])
    assert [path.name for path in (tmp_path / "masks").iterdir()] == ["000003.png"]
    with Image.open(tmp_path / "masks" / "000003.png") as mask:
        assert (mask.format, mask.mode, mask.size) == ("PNG", "L", (47, 33))
        values = np.asarray(mask)
    assert set(np.unique(values)) == {0, 255}
    assert ((values == 255) == observation(3, 0.3, (33, 47)).mask).all()


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (1080, 1920)])
@pytest.mark.parametrize("water", [0.0, 0.4, 1.0])
def test_every_mask_is_read_by_others_as_it_was(
    size: tuple[int, int], water: float, tmp_path: Path
) -> None:
    mask = np.random.default_rng(0).random(size) < water
    path = tmp_path / "mask.png"
    path.write_bytes(encode_mask(mask))
    assert (cv2.imread(str(path), cv2.IMREAD_UNCHANGED) == np.where(mask, 255, 0)).all()
    with Image.open(path) as picture:  # checks every chunk's CRC
        picture.verify()


def test_a_usual_mask_is_small() -> None:
    rows, columns = np.ogrid[:1080, :1920]
    mask = rows > 700 + 80 * np.sin(columns / 200)
    assert len(encode_mask(mask)) < 0.01 * mask.size
