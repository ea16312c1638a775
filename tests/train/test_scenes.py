from __future__ import annotations

import dataclasses
import itertools
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest

from train.scenes import DRY, describe, generate_scene, level_for_fraction, render
from train.scenes.light import choose_light

SIZE = (96, 112)


@pytest.fixture(scope="module")
def scenes():
    return [generate_scene(seed, SIZE) for seed in range(120)]


def channels(image: np.ndarray) -> dict[str, np.ndarray]:
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    planes = [*np.moveaxis(image, 2, 0), *np.moveaxis(hsv, 2, 0), *np.moveaxis(lab, 2, 0), grey]
    return dict(zip(("R", "G", "B", "H", "S", "V", "L", "a", "b", "grey"), planes, strict=True))


def best_threshold_iou(values: np.ndarray, water: np.ndarray) -> float:
    """Best IoU over every threshold of one channel, water being above or below it."""
    wet = np.cumsum(np.bincount(values[water], minlength=256))
    dry = np.cumsum(np.bincount(values[~water], minlength=256))
    below = wet / (wet[-1] + dry)
    above = (wet[-1] - wet) / (wet[-1] + dry[-1] - dry)
    return float(max(below.max(), above.max()))


def test_the_threshold_search_finds_a_perfect_threshold() -> None:
    water = np.arange(256) > 99
    assert best_threshold_iou(np.arange(256), water) == 1.0
    assert best_threshold_iou(np.arange(255, -1, -1), water) == 1.0


def test_no_threshold_of_one_channel_finds_the_water(scenes) -> None:
    water = np.concatenate([scene.mask.ravel() for scene in scenes])
    planes = [channels(scene.image) for scene in scenes]
    for name in planes[0]:
        values = np.concatenate([plane[name].ravel() for plane in planes])
        assert best_threshold_iou(values, water) < 0.75, name


def test_scenes_are_rgb_pictures_with_masks_of_their_size(scenes) -> None:
    for scene in scenes[:5]:
        assert scene.image.shape == (*SIZE, 3) and scene.image.dtype == np.uint8
        assert scene.mask.shape == SIZE and scene.mask.dtype == np.bool_


def test_water_fractions_are_none_small_and_large(scenes) -> None:
    fractions = np.array([scene.mask.mean() for scene in scenes])
    assert (fractions == 0).mean() > 0.04
    assert ((fractions > 0) & (fractions < 0.2)).mean() > 0.1
    assert (fractions > 0.5).mean() > 0.1
    assert fractions.mean() == pytest.approx(0.33, abs=0.12)


def test_pictures_are_neither_flat_nor_all_of_one_brightness(scenes) -> None:
    spread = np.array([scene.image.std() for scene in scenes])
    brightness = np.array([scene.image.mean() for scene in scenes])
    assert spread.min() > 4
    assert np.percentile(brightness, 90) - np.percentile(brightness, 10) > 60


def test_a_seed_repeats_and_other_seeds_differ(scenes) -> None:
    again = generate_scene(3, SIZE)
    np.testing.assert_array_equal(again.image, scenes[3].image)
    np.testing.assert_array_equal(again.mask, scenes[3].mask)
    assert len({scene.image.tobytes() for scene in scenes}) == len(scenes)


def test_a_new_process_draws_the_same_scene_without_torch(scenes) -> None:
    program = (
        "import sys, zlib\nfrom train.scenes import generate_scene\n"
        "s = generate_scene(3, (96, 112))\n"
        "print(zlib.crc32(s.image.tobytes()), zlib.crc32(s.mask.tobytes()), 'torch' in sys.modules)"
    )
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    expected = [zlib.crc32(scenes[3].image.tobytes()), zlib.crc32(scenes[3].mask.tobytes())]
    assert out.stdout.split() == [*map(str, expected), "False"]


def test_another_light_leaves_the_mask_as_it_is() -> None:
    description = describe(2)
    first = render(description, SIZE)
    assert first.mask.any()
    for seed in range(6):
        light = choose_light(np.random.default_rng(seed), 50.0)
        other = render(dataclasses.replace(description, light=light), SIZE)
        np.testing.assert_array_equal(other.mask, first.mask)
        assert (other.image != first.image).any()


def test_ripples_move_while_the_mask_stands() -> None:
    description = describe(2)
    now, later = render(description, SIZE), render(description, SIZE, time_s=0.4)
    np.testing.assert_array_equal(now.mask, later.mask)
    calm = dataclasses.replace(description.light, noise=0.0, rain=0.0, clouds=0.0)
    description = dataclasses.replace(description, light=calm)
    now, later = render(description, SIZE), render(description, SIZE, time_s=0.4)
    change = np.abs(now.image.astype(int) - later.image).max(axis=2)
    assert change[now.mask].mean() > 2 * change[~now.mask].mean()


@pytest.mark.parametrize("seed", range(6))
def test_rising_water_takes_nothing_but_stray_pixels_from_the_mask(seed: int) -> None:
    description = describe(seed)
    levels = level_for_fraction(description.camera, description.land, np.linspace(0, 0.9, 6))
    masks = [render(description, SIZE, water_level=float(level)).mask for level in levels]
    for lower, higher in itertools.pairwise(masks):
        assert (lower & ~higher).mean() < 0.01
    assert masks[-1].mean() > masks[0].mean() + 0.1


def test_things_that_stand_in_the_water_are_no_water() -> None:
    for seed in range(40):
        description = describe(seed)
        bare = dataclasses.replace(description, quads=())
        full, empty = render(description, SIZE).mask, render(bare, SIZE).mask
        assert not (full & ~empty).any()
        if empty.sum() - full.sum() > 200:
            return
    pytest.fail("no scene of forty has anything standing in its water")


def test_dry_scenes_have_no_water_at_all() -> None:
    dry = [seed for seed in range(80) if describe(seed).water_level == DRY]
    assert 2 <= len(dry) <= 20
    assert not generate_scene(dry[0], SIZE).mask.any()


def test_one_scene_looks_alike_at_every_size() -> None:
    small, large = generate_scene(2, (96, 96)), generate_scene(2, (288, 288))
    shrunk = cv2.resize(large.mask.astype(np.float32), (96, 96), interpolation=cv2.INTER_AREA) > 0.5
    assert (shrunk == small.mask).mean() > 0.96
