"""Water that is none: how much of a picture without water the model takes for it."""

from __future__ import annotations

import os

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import albumentations as A
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from runtime.model import Model
from runtime.processing import logit, preprocess
from train.console import console
from train.dry import dry_photographs
from train.scenes import DRY, describe, render

ALLOWED = 0.03
"""Share of a picture without water that may be taken for it."""
SCENES, SCENE_SIZE, FIRST_SEED = 60, (240, 320), 77_000_000
"""Generated scenes without their water, of seeds that no training draws."""
CONDITIONS: dict[str, list[Any]] = {
    "as it is": [],
    "night": [
        A.RandomGamma(gamma_limit=(230, 230), p=1.0),
        A.ISONoise(intensity=(0.2, 0.3), p=1.0),
    ],
    "rain": [A.RandomRain(rain_type="heavy", p=1.0)],
    "snow": [A.RandomSnow(snow_point_range=(0.2, 0.3), p=1.0)],
    "fog": [A.RandomFog(fog_coef_range=(0.4, 0.5), alpha_coef=0.1, p=1.0)],
    "glare": [A.RandomSunFlare(flare_roi=(0.2, 0.1, 0.8, 0.6), src_radius=90, p=1.0)],
}
"""Weather and light that are laid over every picture."""


def measure_dry(model: Model, folders: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """Kind of picture, condition -> mean and largest false share of water, and how many pictures
    have more than ALLOWED. folders: of photographs without water, called by their names."""
    kinds = {"generated scenes": [_dry_scene(seed) for seed in range(SCENES)]}
    for folder in folders:
        photographs = dry_photographs(folder)
        kinds[folder.name] = [photographs[index].image for index in range(len(photographs))]
    found = {}
    for kind, images in kinds.items():
        for name, steps in CONDITIONS.items():
            changed = A.Compose(steps, seed=0)
            title = f"{kind}, {name}"
            seen = [changed(image=image)["image"] for image in images]
            found[title] = _summary(false_shares(model, seen, title))
    return found


def false_shares(
    model: Model, images: Sequence[NDArray[np.uint8]], title: str
) -> NDArray[np.float64]:
    """The share of each picture, (H, W, 3) uint8 RGB, that is taken for water: (N,)."""
    decision = np.float32(logit(model.manifest.threshold))
    shares = []
    for image in track(images, title, console=console, transient=True):
        frame = np.ascontiguousarray(image[..., ::-1])
        inputs = preprocess(frame, model.manifest.input_size, model.manifest.resize)
        shares.append(float((model.infer(inputs[np.newaxis]) > decision).mean()))
    return np.array(shares)


def _dry_scene(number: int) -> NDArray[np.uint8]:
    return render(describe(FIRST_SEED + number), SCENE_SIZE, water_level=DRY).image


def _summary(shares: NDArray[np.float64]) -> dict[str, Any]:
    return {
        "pictures": len(shares),
        "mean": round(float(shares.mean()), 5),
        "largest": round(float(shares.max()), 5),
        "above": int((shares > ALLOWED).sum()),
    }
