"""Training steps: ours, the article's, and what the machine could do.

pytest benchmarks/test_training.py --benchmark-only. Interleaved rounds in one process. The
pictures are generated scenes of 720x1280 as JPEG files; FLOOD_ROUNDS sets the rounds.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.article_loop import article_steps
from benchmarks.our_loop import our_steps
from train.compute import Compute, find_compute
from train.dataset import open_dataset
from train.models import build_model
from train.optimise import freeze
from train.plan import stages
from train.recipe import RECIPES
from train.scenes import generate_scene

ROUNDS = int(os.environ.get("FLOOD_ROUNDS", "5"))
SIZE, BATCH, PICTURES = (224, 224), 8, 40
WANTED = 2.0
MATRIX = 2048


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


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def matrix_rate(compute: Compute) -> float:
    """Multiply-adds per second of a large product in the precision that training uses."""
    kind = compute.half or torch.float32
    left = torch.randn(MATRIX, MATRIX, dtype=kind)
    return MATRIX**3 / min(seconds(lambda: left @ left) for _ in range(5))


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
    benchmark: Any, photographs: Path, recipe: str
) -> None:
    """article: what its code means, a frozen encoder; default: nearly all layers are trained."""
    compute = find_compute()
    dataset = open_dataset(str(photographs))
    ours = our_steps(build_model("vgg19unet", 1.0), dataset, recipe, SIZE, BATCH, compute)
    theirs = article_steps(build_model("vgg19unet", 1.0), photographs, SIZE, BATCH)
    next(ours), next(theirs)
    our_s, their_s, rates = [], [], []

    def step() -> float:
        return next(ours)

    def timed_step() -> None:
        benchmark.pedantic(step, rounds=1)

    for number in range(ROUNDS):
        their_s.append(seconds(lambda: next(theirs)))
        our_s.append(seconds(timed_step if number == 0 else step))
        rates.append(matrix_rate(compute))
    ratio = statistics.median(t / o for t, o in zip(their_s, our_s, strict=True))
    per_second = BATCH / statistics.median(our_s)
    share = per_second * step_multiply_adds(recipe) / statistics.median(rates)
    benchmark.extra_info.update(
        {
            "compute": str(compute),
            "pictures per second": round(per_second, 2),
            "the article's": round(BATCH / statistics.median(their_s), 2),
            "ratio": round(ratio, 2),
            "ratios": sorted(round(t / o, 2) for t, o in zip(their_s, our_s, strict=True)),
            "matrix rate, GMAC/s": round(statistics.median(rates) / 1e9),
            "share of the matrix rate": round(share, 2),
        }
    )
    assert ratio >= WANTED
