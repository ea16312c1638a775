from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from runtime.manifest import Manifest
from train.beside import beside
from train.cache import Pictures
from train.dataset import open_dataset
from train.dry import half_dry_scenes
from train.recipe import RECIPES
from train.teacher import Teacher
from train.views import ask, make_views, taught_pictures

SIZE = (32, 48)


def bright_is_water(number: int) -> Pictures:
    """Noise without colour, whose bright left part is water."""
    rng = np.random.default_rng(3)
    images = rng.integers(0, 100, (number, 64, 96, 3), np.uint8)
    masks = np.zeros((number, 64, 96), bool)
    for index in range(number):
        masks[index, :, : 20 + 10 * index] = True
    images[masks] += 150
    return Pictures(images=images, masks=masks, names=tuple("abcdef"[:number]))


def test_views_are_many_differ_and_keep_picture_and_mask_together() -> None:
    pictures = bright_is_water(4)
    views = make_views(pictures, SIZE, 30, seed=1)
    assert views.images.shape == (120, *SIZE, 3)
    assert views.masks.dtype == np.uint8
    assert views.names[:5] == ("a", "b", "c", "d", "a")
    assert len(np.unique(views.images.reshape(120, -1), axis=0)) == 120
    bright = views.images.mean(axis=-1) > 125
    agree = (bright == (views.masks > 127)).mean(axis=(1, 2))
    assert np.median(agree) > 0.97
    # Some are cut together from two pictures, some show a part without water.
    assert (views.masks.reshape(120, -1).max(axis=1) == 0).sum() >= 4


def test_views_follow_from_the_seed_alone() -> None:
    pictures = bright_is_water(2)
    first, again = (make_views(pictures, SIZE, 10, seed=1) for _ in range(2))
    np.testing.assert_array_equal(first.images, again.images)
    np.testing.assert_array_equal(first.masks, again.masks)
    other = make_views(pictures, SIZE, 10, seed=2)
    assert (first.images != other.images).any()


@pytest.mark.parametrize(("trust", "land", "water"), [(0.0, 0, 255), (1.0, 204, 204)])
def test_a_label_lies_between_the_truth_and_the_teacher(
    trust: float, land: int, water: int, manifest: Manifest
) -> None:
    masks = np.zeros((20, *SIZE), np.uint8)
    masks[:, :10] = 255
    views = Pictures(images=np.zeros((20, *SIZE, 3), np.uint8), masks=masks, names=("x",) * 20)
    asked: list[int] = []

    def probabilities(images: np.ndarray) -> np.ndarray:
        asked.append(len(images))
        return np.full(images.shape[:3], 0.8, np.float32)

    ask(Teacher(manifest=manifest, probabilities=probabilities), views, trust)
    assert sum(asked) == 2 * 20
    assert set(np.unique(views.masks[:, 10:])) == {land}
    assert set(np.unique(views.masks[:, :10])) == {water}


def test_the_teacher_is_asked_in_the_mirror_too(manifest: Manifest) -> None:
    views = Pictures(
        images=np.zeros((3, *SIZE, 3), np.uint8), masks=np.zeros((3, *SIZE), np.uint8), names=("x",)
    )
    views.images[:, :, :10] = 200
    half = SIZE[1] // 2

    def wrong_on_the_right(images: np.ndarray) -> np.ndarray:
        water = (images[..., 0] > 100).astype(np.float32)
        water[:, :, half:] = 1.0
        return water

    ask(Teacher(manifest=manifest, probabilities=wrong_on_the_right), views, 1.0)
    assert (views.masks[:, :, :10] == 255).all()
    assert (views.masks[:, :, 10:] == 128).all()


def test_other_pictures_and_scenes_stand_beside_the_views(
    photographs: Path, manifest: Manifest
) -> None:
    import dataclasses

    recipe = dataclasses.replace(RECIPES["distill"], views=2, scenes=4)
    teacher = Teacher(
        manifest=manifest, probabilities=lambda images: np.ones(images.shape[:3], np.float32)
    )
    dataset = open_dataset(str(photographs))
    others = beside(photographs, photographs / "Image")
    taught = taught_pictures(dataset, teacher, recipe, 42, others)
    number = len(dataset.splits["train"])
    assert number < 10  # so that each picture beside the data set gives one view only
    assert len(taught) == 2 * number + 10 + 10 + 4
    assert taught.masks[: 2 * number].min() >= 127  # half the truth, half a teacher that sees water
    also, dry = (taught.masks[2 * number + start :][:10] for start in (0, 10))
    assert also.min() == 0  # their own masks, of which the teacher is not asked
    assert also.max() == 255
    assert dry.max() == 0
    assert taught.masks[-3].max() == 0
    assert taught.images.shape[1:] == (*manifest.input_size, 3)


def test_every_other_scene_is_dry_and_seeds_are_never_shared() -> None:
    scenes = half_dry_scenes(0, 6)
    assert [bool(scenes[index].mask.any()) for index in (1, 3, 5)] == [False] * 3
    assert any(scenes[index].mask.any() for index in (0, 2, 4))
    assert not set(scenes.seeds) & set(half_dry_scenes(1, 6).seeds)
