"""Pictures to learn from a teacher: many views of each photograph, labelled by it once.

A view is labelled as it will be seen (Beyer et al., "Knowledge distillation: a good teacher is
patient and consistent", CVPR 2022): cropped and turned, or cut together from two pictures (Yun et
al., "CutMix", ICCV 2019). Light, weather and camera are added later, so that the student learns to
see in the dark what its teacher sees by day.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import albumentations as A
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from train.augment import crop_transform
from train.beside import joined
from train.cache import Pictures, allocate, decode, decode_split
from train.console import console, quiet
from train.dry import half_dry_scenes
from train.recipe import Recipe
from train.samples import DataSet, Samples
from train.seeds import mixed_seed
from train.teacher import Teacher

WHOLE, PART = (0.35, 1.0), (0.03, 0.25)
"""Share of the picture that a view shows; a part is taken where there is no water."""
MIXED, DRY_PARTS = 0.25, 0.1
"""Shares of the views that are cut together from two, and that are parts without water."""
PATCH = (0.3, 0.7)
"""Sides of what is pasted into another view, as a share of the view's."""
DRY, TRIES = 0.01, 8
"""A part has less water than this, or is the last of so many tries."""
BATCH = 8


def taught_pictures(
    dataset: DataSet,
    teacher: Teacher,
    recipe: Recipe,
    seed: int,
    others: Mapping[str, Samples],
) -> Pictures:
    """Views of the train split with masks between the true ones and the teacher's, and generated
    scenes, half of them without water; masks are uint8, 255 is water.

    others: pictures of other places and without water (train.beside), whose own masks are kept: of
    what a teacher has not seen it knows little. Each gives no more views than the split, but one of
    each picture. What comes out follows from the arguments alone.
    Raises DataError and BackendError.
    """
    size = teacher.manifest.input_size
    large = (2 * size[0], 2 * size[1])
    views = make_views(
        decode_split(dataset, "train", large, recipe.resize), size, recipe.views, seed
    )
    ask(teacher, views, recipe.trust)
    parts = [views]
    for name, samples in others.items():
        pictures = decode(samples, f"reading {name}", large, recipe.resize)
        most = max(1, len(views) // len(pictures))
        parts.append(make_views(pictures, size, min(recipe.views, most), seed))
    if recipe.scenes:
        scenes = half_dry_scenes(seed, recipe.scenes)
        parts.append(decode(scenes, "drawing scenes", size, recipe.resize, generated=True))
    return joined(parts)


def make_views(pictures: Pictures, size: tuple[int, int], number: int, seed: int) -> Pictures:
    """`number` views of each picture at `size` (height, width), with its own mask as uint8."""
    count = number * len(pictures)
    images, masks = allocate((count, *size, 3), np.uint8), allocate((count, *size), np.uint8)
    of_thread = threading.local()

    def make(place: int) -> None:
        if not hasattr(of_thread, "camera"):
            of_thread.camera = _Camera(pictures, size)
        rng = np.random.default_rng((seed, place))
        images[place], masks[place] = of_thread.camera.view(place % len(pictures), rng)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = pool.map(make, range(count))
        for _ in track(made, "making views", count, console=console, disable=quiet, transient=True):
            pass
    return Pictures(images=images, masks=masks, names=pictures.names * number)


def ask(teacher: Teacher, views: Pictures, trust: float) -> None:
    """Moves the masks from the true ones towards the teacher's probabilities, by the share `trust`
    of the way. It is asked twice, once in the mirror: the mean of both is nearer the truth."""
    starts = range(0, len(views), BATCH)
    for start in track(starts, "asking the teacher", console=console, disable=quiet):
        masks = views.masks[start : start + BATCH]
        images = views.images[start : start + BATCH]
        mirrored = teacher.probabilities(np.ascontiguousarray(images[:, :, ::-1]))[:, :, ::-1]
        water = 127.5 * (teacher.probabilities(images) + mirrored)
        masks[:] = np.rint((1.0 - trust) * masks + trust * water).astype(np.uint8)


class _Camera:
    """One thread's transforms, which hold the state of their random numbers."""

    def __init__(self, pictures: Pictures, size: tuple[int, int]) -> None:
        self._pictures, self._size = pictures, size
        self._whole, self._part = crop_transform(size, WHOLE), crop_transform(size, PART)

    def view(self, index: int, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
        """An image (h, w, 3) uint8 RGB and its mask (h, w) uint8."""
        kind = rng.random()
        if kind < DRY_PARTS:
            for _ in range(TRIES):
                image, mask = self._cut(self._part, index, rng)
                if mask.mean() < DRY * 255:
                    break
            return image, mask
        image, mask = self._cut(self._whole, index, rng)
        if kind < DRY_PARTS + MIXED:
            other = self._cut(self._whole, int(rng.integers(len(self._pictures))), rng)
            place = _patch(self._size, rng)
            image[place], mask[place] = other[0][place], other[1][place]
        return image, mask

    def _cut(
        self, transform: A.Compose, index: int, rng: np.random.Generator
    ) -> tuple[NDArray, NDArray]:
        transform.set_random_seed(mixed_seed(*rng.integers(1 << 32, size=2).tolist()))
        mask = self._pictures.masks[index].astype(np.uint8) * 255
        made = transform(image=self._pictures.images[index], mask=mask)
        return made["image"], made["mask"]


def _patch(size: tuple[int, int], rng: np.random.Generator) -> tuple[slice, slice]:
    sides = [round(side * rng.uniform(*PATCH)) for side in size]
    starts = [int(rng.integers(side - part + 1)) for side, part in zip(size, sides, strict=True)]
    return tuple(slice(at, at + part) for at, part in zip(starts, sides, strict=True))
