"""What is no water: pictures without any, and scenes that are generated without."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from runtime.errors import DataError
from runtime.images import PICTURE_SUFFIXES, read_picture
from train.samples import Sample
from train.scenes import DRY, describe, render

SCENE_SIZE = (288, 384)
"""Height and width of the generated scenes: a camera's picture is sharper than a student's input.
"""
FIRST_SEED = 10_000_000
"""Scenes from here on; train.synthetic draws those below."""


class DryPhotographs:
    """Pictures whose mask is empty, whatever they show."""

    def __init__(self, paths: tuple[Path, ...]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Sample:
        image = read_picture(self.paths[index])
        mask = np.zeros(image.shape[:2], bool)
        return Sample(image=image, mask=mask, name=self.paths[index].stem)


class HalfDryScenes:
    """Generated scenes of consecutive seeds; every other one without its water."""

    def __init__(self, seeds: range) -> None:
        self.seeds = seeds

    def __len__(self) -> int:
        return len(self.seeds)

    def __getitem__(self, index: int) -> Sample:
        description = describe(self.seeds[index])
        level = DRY if index % 2 else None
        scene = render(description, SCENE_SIZE, water_level=level)
        return Sample(image=scene.image, mask=scene.mask, name=f"scene-{self.seeds[index]}")


def dry_photographs(folder: Path) -> DryPhotographs:
    """The pictures of a folder, which must show no water. Raises DataError."""
    if not folder.is_dir():
        raise DataError(f"no such folder: {folder}; --dry wants one with pictures without water")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)
    if not found:
        raise DataError(f"{folder} holds no pictures; --dry wants pictures without any water")
    return DryPhotographs(tuple(found))


def half_dry_scenes(seed: int, number: int) -> HalfDryScenes:
    """`number` scenes that share no seed with those of another `seed` or of train.synthetic."""
    start = FIRST_SEED + seed * 100_000
    return HalfDryScenes(range(start, start + number))
