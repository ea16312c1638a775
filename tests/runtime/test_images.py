"""One function reads every still picture, whatever people put behind a .jpg."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from runtime.errors import DataError
from runtime.images import read_grey, read_picture

RED, BLUE = (250, 10, 10), (10, 10, 250)


def half_red_half_blue() -> Image.Image:
    """4 rows, 6 columns; the left half is red."""
    picture = Image.new("RGB", (6, 4), BLUE)
    picture.paste(RED, (0, 0, 3, 4))
    return picture


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_content_and_not_suffix_decides_the_format(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "picture.jpg"
    half_red_half_blue().save(path, kind, **({"lossless": True} if kind == "WEBP" else {}))
    picture = read_picture(path)
    assert picture.shape == (4, 6, 3)
    assert picture.dtype == np.uint8
    assert tuple(picture[0, 0]) == RED
    assert tuple(picture[3, 5]) == BLUE


@pytest.mark.parametrize(
    ("orientation", "size", "red_corner"),
    [(1, (4, 6), (0, 0)), (3, (4, 6), (3, 5)), (6, (6, 4), (0, 0)), (8, (6, 4), (5, 3))],
)
def test_exif_rotation_is_applied(
    tmp_path: Path, orientation: int, size: tuple[int, int], red_corner: tuple[int, int]
) -> None:
    path = tmp_path / "turned.png"
    exif = Image.Exif()
    exif[0x0112] = orientation
    half_red_half_blue().save(path, exif=exif)
    picture = read_picture(path)
    assert picture.shape[:2] == size
    assert tuple(picture[red_corner]) == RED


def test_palette_pictures_become_their_colours(tmp_path: Path) -> None:
    path = tmp_path / "palette.png"
    picture = half_red_half_blue().quantize(2)
    assert picture.mode == "P"
    picture.save(path)
    assert tuple(read_picture(path)[0, 0]) == RED


def test_alpha_is_dropped_and_not_blended(tmp_path: Path) -> None:
    path = tmp_path / "alpha.png"
    picture = half_red_half_blue()
    picture.putalpha(0)
    picture.save(path)
    assert tuple(read_picture(path)[0, 0]) == RED


def test_16_bit_pictures_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    Image.fromarray(np.array([[0, 32768, 65535]], np.uint16)).save(path)
    assert read_grey(path).tolist() == [[0, 128, 255]]
    assert read_picture(path)[0, 1].tolist() == [128, 128, 128]


def test_one_bit_and_grey_alpha_masks_read_as_grey(tmp_path: Path) -> None:
    values = np.array([[0, 255], [255, 0]], np.uint8)
    Image.fromarray(values).convert("1").save(tmp_path / "bits.png")
    Image.merge("LA", [Image.fromarray(values), Image.new("L", (2, 2), 7)]).save(
        tmp_path / "la.png"
    )
    assert read_grey(tmp_path / "bits.png").tolist() == values.tolist()
    assert read_grey(tmp_path / "la.png").tolist() == values.tolist()


def test_cmyk_reads_as_rgb(tmp_path: Path) -> None:
    path = tmp_path / "print.jpg"
    half_red_half_blue().convert("CMYK").save(path)
    assert read_picture(path).shape == (4, 6, 3)


@pytest.mark.parametrize("kept", [0, 1, 30, 0.5, 0.98])
def test_truncated_pictures_are_one_clear_error(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "cut.jpg"
    noise = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    Image.fromarray(noise).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: kept if isinstance(kept, int) else int(len(whole) * kept)])
    with pytest.raises(DataError, match=r"cannot read .*cut\.jpg as a picture \(.+\); it is dam"):
        read_picture(path)


def test_a_missing_picture_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no such picture: .*gone.jpg; check the path"):
        read_picture(tmp_path / "gone.jpg")
    with pytest.raises(DataError, match=r"cannot read"):
        read_picture(tmp_path)


def test_a_decompression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.png"
    Image.new("L", (100, 100)).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(DataError, match=r"cannot read .*bomb.png"):
        read_picture(path)
