"""Training's transform and the runtime's preprocessing are two implementations of one rule."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from export.graph import ExportedNetwork
from runtime.certificate import Preprocessing
from runtime.errors import ParityError
from runtime.manifest import Manifest
from runtime.processing import preprocess
from train.augment import normalise_rule, resize_rule
from train.normalise import normalise

MOST_DIFFERENT = 1e-5
"""Normalised value; a grey level is 0.017, and float32 rounds at 2e-7 there."""


def rule_of(manifest: Manifest) -> str:
    """How a frame becomes what the first layer reads, as one sentence."""
    height, width = manifest.input_size
    interpolation = "area" if manifest.resize == "pyramid" else manifest.resize
    halved = (
        "halved by means of 2x2 while both sides are even and at least twice that, then "
        if manifest.resize == "pyramid"
        else ""
    )
    return (
        f"the whole frame is {halved}resized to {height}x{width} with OpenCV's {interpolation} "
        "interpolation, BGR becomes RGB, and in the graph each value becomes "
        f"(value - 255 mean) / (255 std) with mean {manifest.mean} and std {manifest.std}"
    )


def adversarial_frames(input_size: tuple[int, int]) -> list[NDArray[np.uint8]]:
    """Frames on which implementations tend to differ: (H, W, 3) uint8 RGB, always the same."""
    height, width = input_size
    random = np.random.default_rng(0)
    sizes = [
        (1, 1), (1, 33), (35, 1), (7, 5), (37, 53), (239, 321), (2160, 3840),
        (height, width), (height + 1, width - 1), (2 * height, 2 * width), (3 * height, width),
        (8 * height + 4, 6 * width + 2),
    ]  # fmt: skip
    noise = [random.integers(0, 256, (*size, 3), np.uint8) for size in sizes]
    flat = [np.full((119, 211, 3), level, np.uint8) for level in (0, 1, 127, 255)]
    board = np.indices((240, 320)).sum(axis=0) % 2 * 255
    grey = random.integers(0, 256, (90, 160, 1), np.uint8).repeat(3, axis=2)
    dark = random.integers(0, 4, (90, 160, 3), np.uint8)
    return [*noise, *flat, np.stack([board] * 3, axis=-1).astype(np.uint8), grey, dark]


def prove_preprocessing(manifest: Manifest, pictures: Iterable[NDArray[np.uint8]]) -> Preprocessing:
    """Compares both on real pictures, (H, W, 3) uint8 RGB, and on adversarial frames.

    Raises ParityError on one differing bit before normalisation, which is where floating point
    begins, and for a normalisation that differs by more than rounding.
    """
    training = resize_rule(manifest.input_size, manifest.resize)
    digest = hashlib.sha256()
    frames = 0
    adversarial = adversarial_frames(manifest.input_size)
    for picture in chain(adversarial, pictures):
        made = preprocess(picture[..., ::-1], manifest.input_size, manifest.resize)
        wanted = training(image=picture)["image"]
        if made.shape != wanted.shape or not np.array_equal(made, wanted):
            raise ParityError(
                f"a frame of {picture.shape[0]}x{picture.shape[1]} does not become the same input "
                f"in training and in the runtime (rule: {rule_of(manifest)}); do not use this "
                "model: train and export it with one version of this project and of OpenCV"
            )
        if frames < len(adversarial):
            digest.update(made.tobytes())
        frames += 1
    difference = normalisation_difference(manifest)
    if not difference <= MOST_DIFFERENT:
        raise ParityError(
            f"training's normalisation differs from the graph's by {difference:.3g}, at most "
            f"{MOST_DIFFERENT:.0e} may be rounding; export with the version that trained"
        )
    return Preprocessing(
        rule=rule_of(manifest),
        rule_sha256=hashlib.sha256(rule_of(manifest).encode()).hexdigest(),
        frames=frames,
        pixels_sha256=digest.hexdigest(),
        normalisation_difference=difference,
    )


def normalisation_difference(manifest: Manifest) -> float:
    """The largest difference, over all 256 levels of every channel, between the exported graph's
    normalisation and the two that training uses: albumentations' and train.normalise."""
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    batch = torch.from_numpy(levels[np.newaxis])
    graph = ExportedNetwork(nn.Identity(), manifest)(batch).numpy()[0]
    augment = normalise_rule(manifest.mean, manifest.std)
    validated = normalise(batch, manifest.mean, manifest.std).numpy()[0]
    others = (augment(image=levels)["image"].transpose(2, 0, 1), validated)
    return max(float(np.abs(graph - other).max()) for other in others)
