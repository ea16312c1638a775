from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.photographs import repositories
from runtime.errors import DataError

WITH_WATER = repositories.WITH_WATER.split()


@pytest.fixture
def clones(tmp_path: Path) -> Path:
    """Both clones, with empty files for photographs."""
    samples, drives = tmp_path / repositories.SAMPLES, tmp_path / repositories.STREETS / "CamVid"
    classes = [*WITH_WATER, *(f"class_{n}" for n in range(1000))][: repositories.NUMBER]
    names = [samples / f"n{n:04}_{name}.JPEG" for n, name in enumerate(classes)]
    for split, sequence in (("train", "0016E5"), ("val", "0016E5"), ("test", "0001TP")):
        names += [drives / split / f"{sequence}_{n:02}{split}.png" for n in range(12)]
    names.append(drives / "testannot" / "0001TP_00.png")
    for name in names:
        name.parent.mkdir(parents=True, exist_ok=True)
        name.touch()
    return tmp_path


def test_no_photograph_is_in_two_parts_and_none_shows_water(clones: Path) -> None:
    found = repositories.find_cloned(clones)
    assert list(found) == ["learn", "photographs", "streets"]
    every = [name for part in found.values() for name in part]
    assert len(set(every)) == len(every)
    dry = repositories.NUMBER - len(WITH_WATER)
    assert sum(name.startswith("sample-") for name in every) == dry
    assert not any(name.endswith(("_lakeside.JPEG", "_canoe.JPEG")) for name in every)
    assert 0.15 * dry < len(found["photographs"]) < 0.25 * dry


def test_whole_drives_are_learned_from_or_measured_on(clones: Path) -> None:
    found = repositories.find_cloned(clones)
    assert {name for name in found["learn"] if name.startswith("camvid-")} == {
        "camvid-0016E5_00train.png", "camvid-0016E5_03train.png",
        "camvid-0016E5_06train.png", "camvid-0016E5_09train.png",
    }  # fmt: skip
    assert list(found["streets"]) == ["camvid-0001TP_00test.png"]


@pytest.mark.parametrize("missing", [repositories.SAMPLES, repositories.STREETS])
def test_a_missing_clone_says_what_to_run(clones: Path, missing: str) -> None:
    (clones / missing).rename(clones / "elsewhere")
    with pytest.raises(DataError, match=rf"git clone https://.*{repositories.SCENERY}"):
        repositories.find_cloned(clones)
