from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.photographs import repositories
from runtime.errors import DataError

WITH_WATER = repositories.WITH_WATER.split()
DRY_OR_NOT = ("red_leaves", "Autumn", "ashim_sand", "DSCF6021", "Snow", "AY01", "0010", "0011",
              "lake", "happy-turtle", "AY03", "Sunset_by_the_Pier")  # fmt: skip


@pytest.fixture
def clones(tmp_path: Path) -> Path:
    """The clones, with empty files for photographs."""
    samples, drives = tmp_path / repositories.SAMPLES, tmp_path / repositories.STREETS / "CamVid"
    classes = [*WITH_WATER, *(f"class_{n}" for n in range(1000))][: repositories.NUMBER]
    names = [samples / f"n{n:04}_{name}.JPEG" for n, name in enumerate(classes)]
    for split, sequence in (("train", "0016E5"), ("val", "0016E5"), ("test", "0001TP")):
        names += [drives / split / f"{sequence}_{n:02}{split}.png" for n in range(12)]
    names.append(drives / "testannot" / "0001TP_00.png")
    for place in repositories.DRY:
        names += [tmp_path / place / f"{stem}.jpg" for stem in DRY_OR_NOT]
    for clone, pattern in repositories.CLIPS.values():
        names += [tmp_path / clone / pattern.replace("*", stem) for stem in ("00", "01")]
    for name in names:
        name.parent.mkdir(parents=True, exist_ok=True)
        name.touch()
    return tmp_path


def test_no_photograph_is_in_two_parts_and_none_shows_water(clones: Path) -> None:
    found = repositories.find_cloned(clones)
    assert list(found) == ["learn", "photographs", "streets", "clips"]
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


def test_of_other_clones_those_are_learned_from_that_were_seen_to_be_dry(clones: Path) -> None:
    learned = repositories.find_cloned(clones)["learn"]
    of = {place: [name for name in learned if name.startswith(place.replace("/", "-"))]
          for place in repositories.DRY}  # fmt: skip
    assert all(of.values())
    assert of["water_seg/demo/examples"] == ["water_seg-demo-examples-AY01.jpg"]
    assert of["artwork/backgrounds"] == ["artwork-backgrounds-red_leaves.jpg"]
    assert not any("Pier" in name or "turtle" in name for name in of["wallpapers/backgrounds"])
    assert [name[-8:] for name in learned if "airplanes" in name] == ["0010.jpg"]


def test_films_are_frames_in_a_folder_or_a_file(clones: Path) -> None:
    clips = repositories.find_cloned(clones)["clips"]
    assert list(clips) == ["canuelas/00.jpg", "canuelas/01.jpg", "pisco/00.jpg", "pisco/01.jpg",
                           "geul.mp4"]  # fmt: skip
    assert clips["geul.mp4"].name == "dk_control.mp4"


@pytest.mark.parametrize(
    "missing", [repositories.SAMPLES, repositories.STREETS, repositories.OBJECTS, "RIVeR"]
)
def test_a_missing_clone_says_what_to_run(clones: Path, missing: str) -> None:
    (clones / missing).rename(clones / "elsewhere")
    with pytest.raises(DataError, match=r"git clone https://.*/BIDS/BSDS500 "):
        repositories.find_cloned(clones)
