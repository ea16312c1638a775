"""Pictures of generated floods, as real files that can then be spoilt."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from train.scenes import generate_scene

SIZE = (144, 192)


def write_landscapes(folder: Path, count: int) -> Path:
    """`count` clean pairs 0.png, 1.png, ... of different scenes, with black and white masks."""
    for name in ("Image", "Mask"):
        (folder / name).mkdir(parents=True)
    scenes = (generate_scene(seed, SIZE) for seed in itertools.count())
    wet = (scene for scene in scenes if 0.1 < scene.mask.mean() < 0.9)
    for number, scene in enumerate(itertools.islice(wet, count)):
        mask = scene.mask.astype(np.uint8) * 255
        Image.fromarray(scene.image).save(folder / "Image" / f"{number}.png")
        Image.fromarray(mask).save(folder / "Mask" / f"{number}.png")
    return folder


def write_copies(folder: Path, stem: str) -> list[str]:
    """A re-encoded, a cropped, a mirrored, a turned and a darker copy of one pair; their stems."""
    image = np.asarray(Image.open(folder / "Image" / f"{stem}.png"))
    mask = np.asarray(Image.open(folder / "Mask" / f"{stem}.png"))
    dark = cv2.convertScaleAbs(image, alpha=0.6, beta=10)
    copies = {
        "reencoded": (image, mask),
        "crop": (image[20:130, 15:170], mask[20:130, 15:170]),
        "mirror": (image[:, ::-1], mask[:, ::-1]),
        "turn": (np.rot90(image), np.rot90(mask)),
        "dark": (dark, mask),
    }
    for name, (changed, changed_mask) in copies.items():
        stem_of_copy = f"{stem}-{name}"
        image_file = folder / "Image" / f"{stem_of_copy}.jpg"
        Image.fromarray(np.ascontiguousarray(changed)).save(image_file, quality=70)
        mask_file = folder / "Mask" / f"{stem_of_copy}.png"
        Image.fromarray(np.ascontiguousarray(changed_mask)).save(mask_file)
    return [f"{stem}-{name}" for name in copies]
