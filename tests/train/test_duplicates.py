"""Near-duplicates are one scene, strangers are not, and no scene crosses a split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.train.landscapes import write_copies, write_landscapes
from train.dataset import Photographs, open_dataset
from train.duplicates import THUMBNAIL, near_duplicates, scene_groups
from train.groups import connected


@pytest.fixture(scope="module")
def disguised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen scenes, six of them with five disguised copies each."""
    folder = write_landscapes(tmp_path_factory.mktemp("scenes") / "floods", 16)
    for stem in range(6):
        write_copies(folder, str(stem))
    return folder


def test_scenes_are_found_through_crops_flips_turns_light_and_compression(disguised: Path) -> None:
    images = sorted((disguised / "Image").iterdir())
    groups = scene_groups(images)
    by_scene: dict[str, set[str]] = {}
    for image, group in zip(images, groups, strict=True):
        by_scene.setdefault(image.stem.split("-")[0], set()).add(group)
    assert all(len(names) == 1 for names in by_scene.values())
    assert len(set(groups)) == 16


@pytest.mark.parametrize("seed", [1, 2, 42])
def test_no_scene_crosses_a_split(disguised: Path, seed: int) -> None:
    data = open_dataset(str(disguised), seed=seed)
    homes: dict[str, set[str]] = {}
    for split, samples in data.splits.items():
        assert isinstance(samples, Photographs)
        for pair in samples.pairs:
            homes.setdefault(pair.image.stem.split("-")[0], set()).add(split)
    assert len(homes) == 16
    assert all(len(splits) == 1 for splits in homes.values())
    again = open_dataset(str(disguised), seed=seed)
    assert again.split_rule == data.split_rule


def test_groups_of_a_table_and_found_scenes_are_joined(disguised: Path, tmp_path: Path) -> None:
    rows = [f"{image.name},{image.stem}.png," for image in (disguised / "Image").iterdir()]
    rows = [row + ("bridge" if row.startswith(("0.png", "1-crop.jpg")) else "") for row in rows]
    table = tmp_path / "pairs.csv"
    table.write_text("\n".join(["Image,Mask,group", *rows]))
    for seed in range(3):
        data = open_dataset(str(disguised), table, seed)
        homes = {
            split
            for split, samples in data.splits.items()
            for pair in samples.pairs
            if pair.image.stem.split("-")[0] in ("0", "1")
        }
        assert len(homes) == 1


def test_plain_pictures_of_different_colour_are_strangers_and_equal_ones_are_not() -> None:
    plain = [np.full((THUMBNAIL, THUMBNAIL, 3), level, np.uint8) for level in (20, 120, 120)]
    assert near_duplicates(np.stack(plain)) == [(1, 2, 1.0)]


def test_a_single_picture_and_more_copies_than_candidates_are_no_trouble() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (THUMBNAIL, THUMBNAIL, 3), dtype=np.uint8)
    assert near_duplicates(noise[None]) == []
    matches = near_duplicates(np.repeat(noise[None], 40, axis=0))
    assert len(connected(40, [match[:2] for match in matches])) == 1
