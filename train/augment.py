"""What happens to a picture before the network sees it in training."""

from __future__ import annotations

import os

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations as A
import cv2

from runtime.processing import INTERPOLATIONS
from train.recipe import IMAGENET_MEAN, IMAGENET_STD, Recipe


def resize_rule(input_size: tuple[int, int], resize: str) -> A.Resize:
    """The manifest's resize rule as training knows it; the runtime's twin is `preprocess`."""
    height, width = input_size
    return A.Resize(height=height, width=width, interpolation=INTERPOLATIONS[resize])


def training_transform(recipe: Recipe, input_size: tuple[int, int]) -> A.Compose:
    """Called with image (H, W, 3) uint8 RGB and mask (H, W) uint8; gives the image at network
    size as normalised float32 and its mask."""
    normalise = A.Normalize(mean=IMAGENET_MEAN, std=IMAGENET_STD)
    if recipe.augment == "published":
        return A.Compose(_published(input_size, recipe.resize, normalise))
    if recipe.augment == "flips":
        resize = resize_rule(input_size, recipe.resize)
        return A.Compose([resize, A.HorizontalFlip(p=0.5), normalise])
    return A.Compose([*_geometry(input_size), *_weather_and_camera(), normalise])


def _published(input_size: tuple[int, int], resize: str, normalise: A.Normalize) -> list[object]:
    """The published order. Brightness after Normalize clips the values to 0-1, in training only."""
    return [
        resize_rule(input_size, resize),
        A.HorizontalFlip(p=0.75),
        A.VerticalFlip(p=0.75),
        normalise,
        A.RandomBrightnessContrast(brightness_limit=0.4, contrast_limit=0.4, p=1.0),
    ]


def _geometry(input_size: tuple[int, int]) -> list[object]:
    return [
        A.RandomResizedCrop(
            size=input_size,
            scale=(0.4, 1.0),
            ratio=(0.7, 1.4),
            interpolation=cv2.INTER_LINEAR,
            area_for_downscale="image",
        ),
        A.HorizontalFlip(p=0.5),
        A.Affine(rotate=(-8, 8), border_mode=cv2.BORDER_REFLECT_101, p=0.25),
    ]


def _weather_and_camera() -> list[object]:
    """Low gamma and light haze or dusk; then what lenses, sensors and video codecs add."""
    return [
        A.ColorJitter(
            brightness=(0.7, 1.3),
            contrast=(0.6, 1.3),
            saturation=(0.6, 1.3),
            hue=(-0.03, 0.03),
            p=0.7,
        ),
        A.RandomGamma(gamma_limit=(60, 170), p=0.3),
        A.OneOf([A.GaussianBlur(blur_limit=(3, 5)), A.MotionBlur(blur_limit=(3, 5))], p=0.15),
        A.GaussNoise(std_range=(0.01, 0.05), p=0.15),
        A.ImageCompression(quality_range=(35, 90), p=0.2),
    ]
