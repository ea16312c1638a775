"""The Flood Area set is known by its names, and a table that is given counts more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from train.dataset import open_dataset
from train.pair_table import read_table
from train.pairs import FLOOD_AREA


def test_the_flood_area_set_is_recognised_by_its_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = read_table(FLOOD_AREA)
    folder = _stand_in(tmp_path / "full", [row["Image"] for row in rows] + ["1024.jpg"])
    data = open_dataset(str(folder))
    assert "Flood Area data set: pairs, groups and splits from flood_area.csv" in (
        capsys.readouterr().err
    )
    pairs = {pair.image.name: pair for name in data.splits for pair in data.splits[name].pairs}
    assert pairs["14.jpg"].mask.name == "15.png"
    assert len(pairs) == len(rows) == 286
    assert "1024.jpg" not in pairs
    assert {name: len(samples) for name, samples in data.splits.items()} == {
        name: sum(row["split"] == name for row in rows) for name in ("train", "val", "test")
    }


def test_other_numbered_pictures_are_not_taken_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _stand_in(tmp_path / "other", [f"{number}.jpg" for number in range(60)])
    open_dataset(str(folder))
    assert "Flood Area" not in capsys.readouterr().err


def test_a_table_that_is_given_counts_more_than_what_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _stand_in(tmp_path / "full", [row["Image"] for row in read_table(FLOOD_AREA)])
    table = tmp_path / "mine.csv"
    table.write_text("Image,Mask,split\n14.jpg,14.png,train\n15.jpg,15.png,val\n")
    data = open_dataset(str(folder), table)
    assert [pair.mask.name for pair in data.splits["train"].pairs] == ["14.png"]
    assert "Flood Area" not in capsys.readouterr().err


def _stand_in(folder: Path, images: list[str]) -> Path:
    """Tiny pictures of noise under the given names, each with a mask of its own stem."""
    for name in ("Image", "Mask"):
        (folder / name).mkdir(parents=True)
    generator = np.random.default_rng(0)
    for image in images:
        noise = generator.integers(0, 255, (12, 12, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / "Image" / image)
        Image.fromarray(noise[..., 0]).save(folder / "Mask" / f"{Path(image).stem}.png")
    return folder
