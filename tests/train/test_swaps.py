"""Masks that lie with the wrong pictures are found; masks that fit are left alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.train.landscapes import SIZE
from train.duplicates import thumbnail
from train.scenes import generate_scene
from train.swaps import NEARLY_CERTAIN, SIDE, mask_fits, suspected_swaps

COUNT = 30
Floods = tuple[NDArray[np.uint8], NDArray[np.float32]]


@pytest.fixture(scope="module")
def floods() -> Floods:
    """Thumbnails and small masks of thirty generated scenes with some water and some land."""
    images, masks, seed = [], [], 0
    while len(images) < COUNT:
        scene = generate_scene(seed, SIZE)
        seed += 1
        if 0.1 < scene.mask.mean() < 0.9:
            images.append(thumbnail(scene.image))
            water = scene.mask.astype(np.float32)
            masks.append(cv2.resize(water, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    return np.stack(images), np.stack(masks)


def test_a_mask_fits_its_own_picture_better_than_most_others(floods: Floods) -> None:
    fits = mask_fits(*floods)
    beaten = (fits.diagonal()[:, None] > fits).sum(1)
    assert np.median(beaten) >= COUNT - 2


def test_masks_that_fit_raise_no_suspicion(floods: Floods) -> None:
    assert suspected_swaps(*floods, range(COUNT)) == []


@pytest.mark.parametrize("seed", range(5))
def test_all_pictures_of_planted_swaps_and_no_others_are_named_strongest_first(
    floods: Floods, seed: int
) -> None:
    images, masks = floods
    chosen = np.random.default_rng(seed).permutation(COUNT)[:6].reshape(3, 2)
    order = np.arange(COUNT)
    for first, second in chosen:
        order[[first, second]] = order[[second, first]]
    found = suspected_swaps(images, masks[order], range(COUNT))
    named = sorted(member for swap in found for member in swap.members)
    assert named == sorted(chosen.flat)
    scores = [swap.score for swap in found]
    assert scores == sorted(scores, reverse=True)


def test_masks_exchanged_within_one_scene_are_no_mix_up(floods: Floods) -> None:
    images, masks = floods
    order = np.arange(COUNT)
    order[[3, 8]] = order[[8, 3]]
    scenes = list(range(COUNT))
    scenes[8] = 3
    assert suspected_swaps(images, masks[order], scenes) == []


def test_large_sets_are_compared_in_overlapping_blocks(
    floods: Floods, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train.swaps.BLOCK", 12)
    images, masks = floods
    order = np.arange(COUNT)
    order[[11, 13]] = order[[13, 11]]  # across the border of the first block
    strongest, *others = suspected_swaps(images, masks[order], range(COUNT))
    assert strongest.members == (11, 13)
    assert all(swap.score < NEARLY_CERTAIN < strongest.score for swap in others)
