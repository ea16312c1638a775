"""Training steps: ours, the article's, and what the machine could do.

pytest benchmarks/test_training.py --benchmark-only. Interleaved rounds, each loop in a process of
its own. The pictures are generated scenes of 720x1280 as JPEG files; FLOOD_ROUNDS sets the rounds.
Where FLOOD_EXPORTS names an export, the numbers are kept beside those of its paths.
"""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.conftest import Record
from benchmarks.environment import named_exports
from benchmarks.loops import BATCH, SIZE, Loop, seconds
from benchmarks.rates import SIDE
from train.compute import Compute, find_compute
from train.models import build_model
from train.optimise import freeze
from train.plan import stages
from train.recipe import RECIPES
from train.scenes import generate_scene

ROUNDS = int(os.environ.get("FLOOD_ROUNDS", "5"))
PICTURES = 40
WANTED = 2.0


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "scenes"
    for kind in ("Image", "Mask"):
        (folder / kind).mkdir(parents=True)
    for seed in range(PICTURES):
        scene = generate_scene(seed, (720, 1280))
        cv2.imwrite(str(folder / "Image" / f"{seed:02d}.jpg"), scene.image[..., ::-1])
        mask = scene.mask.astype(np.uint8) * 255
        cv2.imwrite(str(folder / "Mask" / f"{seed:02d}.png"), mask)
    return folder


def matrix_rate(compute: Compute) -> float:
    """Multiply-adds per second of a large product in the precision that training uses."""
    kind, side = compute.half or torch.float32, SIDE[compute.device.type]
    left = torch.randn(side, side, dtype=kind, device=compute.device)
    return float(side) ** 3 / min(seconds(lambda: left @ left) for _ in range(5))


def step_multiply_adds(recipe_name: str) -> float:
    """Multiply-adds per picture of a step, forward and backward, counted while it runs."""
    plan = stages(RECIPES[recipe_name], epochs=1, rate=1.0, patience=None, pretrained=True)[0]
    model = build_model("vgg19unet", 1.0)
    freeze(model, plan.unfrozen_from)
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, *SIZE)).sum().backward()
    return counter.get_total_flops() / 2


@pytest.mark.parametrize("recipe", ["article", "default"])
def test_a_step_is_at_least_twice_as_fast_as_the_articles(
    benchmark: Any, record: Record, photographs: Path, recipe: str
) -> None:
    """article: what its code means, a frozen encoder; default: nearly all layers are trained."""
    compute = find_compute()
    our_s, their_s, rates = [], [], []
    with Loop("ours", photographs, recipe) as ours, Loop("theirs", photographs, recipe) as theirs:
        for number in range(ROUNDS):
            their_s.append(theirs.step_s())
            our_s.append(ours.step_s() if number else benchmark.pedantic(ours.step_s, rounds=1))
            rates.append(matrix_rate(compute))
    ratios = sorted(theirs / ours for theirs, ours in zip(their_s, our_s, strict=True))
    per_second = BATCH / statistics.median(our_s)
    share = per_second * step_multiply_adds(recipe) / statistics.median(rates)
    found = {
        "compute": str(compute),
        "pictures_per_s": round(per_second, 2),
        "articles_per_s": round(BATCH / statistics.median(their_s), 2),
        "ratio": round(statistics.median(ratios), 2),
        "ratios": [round(ratio, 2) for ratio in ratios],
        "gmac_per_s": round(statistics.median(rates) / 1e9),
        "share": round(share, 2),
    }
    benchmark.extra_info.update(found)
    if named_exports():
        record.training[f"{recipe} recipe"] = found
    assert statistics.median(ratios) >= WANTED
