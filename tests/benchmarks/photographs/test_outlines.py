from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.photographs import outlines, repositories
from runtime.errors import DataError


def test_a_mask_is_the_water_without_what_stands_in_it() -> None:
    left = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]
    boat = [[0.1, 0.4], [0.3, 0.4], [0.3, 0.6], [0.1, 0.6]]
    mask = outlines.Outline(water=[left], dry=[boat]).mask((50, 100))
    assert mask.shape == (50, 100)
    assert set(np.unique(mask)) == {0, 255}
    assert mask[5, 5] == mask[45, 45] == 255
    assert mask[25, 20] == mask[25, 60] == 0


@pytest.mark.parametrize("path", [outlines.WATER, outlines.LEARNED, outlines.RIVERS])
def test_every_outline_lies_in_its_photograph_and_none_of_them_counts_as_dry(path: Path) -> None:
    read = outlines.read_outlines(path)
    assert read
    for name, outline in read.items():
        clone = name.partition("/")[0]
        assert clone in repositories.OWNERS
        if clone == repositories.SAMPLES:
            assert Path(name).stem.partition("_")[2] in repositories.WITH_WATER.split()
        pattern = repositories.DRY.get(str(Path(name).parent))
        assert pattern is None or not re.search(pattern, Path(name).stem), name
        corners = np.array([corner for polygon in (*outline.water, *outline.dry)
                            for corner in polygon])  # fmt: skip
        assert corners.min() >= 0 and corners.max() <= 1, name
        assert outline.mask((100, 100)).mean() > 255 * 0.005, name


def test_a_photograph_is_learned_from_or_measured_on(tmp_path: Path) -> None:
    names = [name for path in (outlines.WATER, outlines.LEARNED, outlines.RIVERS)
             for name in outlines.read_outlines(path)]  # fmt: skip
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = outlines.find_outlined(tmp_path)
    assert list(found) == ["also", "water", "rivers"]
    assert sorted(name for part in found.values() for name in part) == sorted(names)
    some = len(outlines.read_outlines(outlines.WATER))
    assert 0.3 < len(found["water"]) / some < 0.4


def test_no_frame_of_a_river_that_is_measured_on_is_learned_from() -> None:
    learned = outlines.read_outlines(outlines.LEARNED)
    filmed = tuple(clone for clone, _ in repositories.CLIPS.values())
    assert not [name for name in learned if name.startswith(filmed)]
    bridge = ("AY04", "AY07", "AY08")  # one camera, by day and by night
    assert not [name for name in learned if Path(name).stem in bridge]


def test_a_missing_clone_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"git clone https://.*imagenet-sample-images.*BSDS500"):
        outlines.find_outlined(tmp_path)
