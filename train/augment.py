"""What happens to a picture before the network sees it in training."""

from __future__ import annotations

from collections.abc import Sequence

import albumentations as A
import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.processing import INTERPOLATIONS, halvings
from train.recipe import IMAGENET_MEAN, IMAGENET_STD, Recipe

NOISY, HARSH = 0.4, 0.4
"""How often views for a student are noisy, for what runs on cameras must not flicker with noise;
and how often they are taken by night or in bad weather."""


def resize_rule(input_size: tuple[int, int], resize: str) -> A.Resize:
    """The manifest's resize rule as training knows it; the runtime's twin is `preprocess`."""
    height, width = input_size
    kind = PyramidResize if resize == "pyramid" else A.Resize
    return kind(height=height, width=width, interpolation=INTERPOLATIONS[resize])


def normalise_rule(mean: Sequence[float], std: Sequence[float]) -> A.Normalize:
    """The manifest's normalisation as training's pictures take it."""
    return A.Normalize(mean=mean, std=std)


class PyramidResize(A.Resize):
    """The rule "pyramid" as the manifest says it, in integers, where the runtime asks OpenCV."""

    def apply(self, img: NDArray[np.uint8], **params: object) -> NDArray[np.uint8]:
        for _ in range(halvings(img.shape[:2], (self.height, self.width))):
            quads = img.reshape(img.shape[0] // 2, 2, img.shape[1] // 2, 2, -1)
            img = ((quads.sum(axis=(1, 3), dtype=np.uint16) + 2) // 4).astype(np.uint8)
        return super().apply(img, **params)


def training_transform(recipe: Recipe, input_size: tuple[int, int]) -> A.Compose:
    """Called with image (H, W, 3) uint8 RGB and mask (H, W) uint8, 0 or 255; gives the image at
    network size as normalised float32, and its mask, in between where pixels were averaged."""
    normalise = normalise_rule(IMAGENET_MEAN, IMAGENET_STD)
    if recipe.augment == "published":
        return A.Compose(_published(input_size, recipe.resize, normalise))
    if recipe.augment == "flips":
        resize = resize_rule(input_size, recipe.resize)
        return A.Compose([resize, A.HorizontalFlip(p=0.5), normalise])
    if recipe.augment == "views":
        crop = _crop(input_size, (0.5, 1.0), (0.8, 1.25))
        return A.Compose(
            [
                crop,
                A.HorizontalFlip(p=0.5),
                *_weather_and_camera(NOISY, HARSH, _more_weather()),
                normalise,
            ]
        )
    weather = [] if recipe.augment == "crops" else _weather_and_camera()
    return A.Compose([*_geometry(input_size), *weather, normalise])


def crop_transform(size: tuple[int, int], scale: tuple[float, float]) -> A.Compose:
    """A view of a picture: cropped to a share within `scale`, flipped, turned; still uint8."""
    return A.Compose(_geometry(size, scale))


def _published(input_size: tuple[int, int], resize: str, normalise: A.Normalize) -> list[object]:
    """The published order. Brightness after Normalize clips the values to 0-1, in training only."""
    return [
        resize_rule(input_size, resize),
        A.HorizontalFlip(p=0.75),
        A.VerticalFlip(p=0.75),
        normalise,
        A.RandomBrightnessContrast(brightness_limit=0.4, contrast_limit=0.4, p=1.0),
    ]


def _crop(
    size: tuple[int, int], scale: tuple[float, float], ratio: tuple[float, float]
) -> A.RandomResizedCrop:
    return A.RandomResizedCrop(
        size=size,
        scale=scale,
        ratio=ratio,
        interpolation=cv2.INTER_LINEAR,
        mask_interpolation=cv2.INTER_LINEAR,
        area_for_downscale="image_mask",
    )


def _geometry(size: tuple[int, int], scale: tuple[float, float] = (0.35, 1.0)) -> list[object]:
    return [
        _crop(size, scale, (0.7, 1.6)),
        A.HorizontalFlip(p=0.5),
        A.Affine(
            rotate=(-12, 12),
            shear=(-6, 6),
            mask_interpolation=cv2.INTER_LINEAR,
            border_mode=cv2.BORDER_REFLECT_101,
            p=0.3,
        ),
    ]


def _night() -> A.Sequential:
    return A.Sequential(
        [
            A.RandomGamma(gamma_limit=(170, 280), p=1.0),
            A.ISONoise(intensity=(0.1, 0.3), p=0.7),
        ],
        p=1.0,
    )


def _more_weather() -> list[object]:
    """Snow, fog and glare, which draw over the picture what a teacher would not see through; and
    night once more, by which dry land had most often been taken for water."""
    return [
        _night(),
        A.RandomSnow(snow_point_range=(0.1, 0.3), p=0.5),
        A.RandomFog(fog_coef_range=(0.2, 0.5), alpha_coef=0.1, p=0.5),
        A.RandomSunFlare(flare_roi=(0.0, 0.0, 1.0, 0.6), src_radius=40, p=0.5),
    ]


def _weather_and_camera(
    noisy: float = 0.15, harsh: float = 0.12, more: Sequence[object] = ()
) -> list[object]:
    """Light and colour, night, haze and rain; then what lenses, sensors and video codecs add.

    noisy: how often a sensor's noise is added; harsh: how often night or weather, with `more`.
    """
    haze = A.RandomBrightnessContrast(
        brightness_limit=(0.1, 0.3), contrast_limit=(-0.6, -0.3), p=1.0
    )
    rain = A.RandomRain(drop_length=7, drop_width=1, blur_value=1, brightness_coefficient=0.9)
    return [
        A.ColorJitter(
            brightness=(0.65, 1.35),
            contrast=(0.6, 1.35),
            saturation=(0.6, 1.3),
            hue=(-0.04, 0.04),
            p=0.8,
        ),
        A.RandomGamma(gamma_limit=(60, 170), p=0.2),
        A.OneOf([_night(), haze, rain, *more], p=harsh),
        A.OneOf([A.GaussianBlur(blur_limit=(3, 5)), A.MotionBlur(blur_limit=(3, 5))], p=0.15),
        A.GaussNoise(std_range=(0.01, 0.05), p=noisy),
        A.ImageCompression(quality_range=(35, 90), p=0.2),
        A.ToGray(p=0.05),
    ]
