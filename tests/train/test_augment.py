from __future__ import annotations

import cv2
import numpy as np
import pytest

from runtime.processing import preprocess
from train.augment import resize_rule, training_transform
from train.recipe import RECIPES

NOISE = np.random.default_rng(7)
FRAMES = {
    "odd sides": NOISE.integers(0, 256, (333, 517, 3), np.uint8),
    "one pixel": NOISE.integers(0, 256, (1, 1, 3), np.uint8),
    "one row": NOISE.integers(0, 256, (1, 700, 3), np.uint8),
    "4K": NOISE.integers(0, 256, (2160, 3840, 3), np.uint8),
    "grey": np.full((480, 640, 3), 127, np.uint8),
    "dark": NOISE.integers(0, 2, (480, 640, 3), np.uint8),
    "network size": NOISE.integers(0, 256, (224, 320, 3), np.uint8),
}


@pytest.mark.parametrize("resize", ["area", "linear"])
@pytest.mark.parametrize("name", FRAMES)
def test_training_and_runtime_see_the_same_bytes(name: str, resize: str) -> None:
    rgb = FRAMES[name]
    training = resize_rule((224, 320), resize)(image=rgb)["image"]
    runtime = preprocess(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), (224, 320), resize)
    np.testing.assert_array_equal(training, runtime)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_gives_network_size_and_a_mask_that_follows_the_picture(name: str) -> None:
    image = np.zeros((60, 90, 3), np.uint8)
    image[:, :45] = 255
    mask = (image[..., 0] > 0).astype(np.uint8)
    transform = training_transform(RECIPES[name], (32, 48))
    agreements = []
    for seed in range(20):
        transform.set_random_seed(seed)
        made = transform(image=image, mask=mask)
        assert made["image"].shape == (32, 48, 3)
        assert made["image"].dtype == np.float32
        assert set(np.unique(made["mask"])) <= {0, 1}
        bright = made["image"][..., 0] > made["image"][..., 0].mean()
        agreements.append((bright == made["mask"]).mean())
    assert np.median(agreements) > 0.95


def test_the_article_is_augmented_as_published() -> None:
    steps = training_transform(RECIPES["article"], (224, 224)).transforms
    assert [type(step).__name__ for step in steps] == [
        "Resize",
        "HorizontalFlip",
        "VerticalFlip",
        "Normalize",
        "RandomBrightnessContrast",
    ]
    assert [step.p for step in steps[1:3]] == [0.75, 0.75]
    assert steps[0].interpolation == cv2.INTER_LINEAR
    assert steps[4].brightness_limit == (-0.4, 0.4)
    assert steps[4].contrast_limit == (-0.4, 0.4)
