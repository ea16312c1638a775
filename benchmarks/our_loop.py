"""Our training steps on their own: what `python -m train` does in a stage, to be compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import torch
from torch import nn

from runtime.backends.cores import usable_cores
from runtime.backends.heap import keep_freed_blocks
from train.batches import Batches
from train.cache import decode_split
from train.compute import Compute
from train.models import find_kind
from train.optimise import freeze, make_optimiser, moving_average
from train.plan import stages
from train.recipe import RECIPES
from train.samples import DataSet
from train.step import Stepper


def our_steps(
    model: nn.Module,
    dataset: DataSet,
    recipe_name: str,
    size: tuple[int, int],
    batch: int,
    compute: Compute,
    *,
    frozen: bool = True,
    seed: int = 0,
) -> Iterator[float]:
    """Endless steps of a recipe's first stage at full size; each gives its loss.

    frozen: whether the layers that the recipe freezes are frozen, else all are trained.
    """
    recipe = RECIPES[recipe_name]
    plan = stages(recipe, epochs=100, rate=1e-4, patience=None, pretrained=True)[0]
    if not frozen:
        plan = dataclasses.replace(plan, unfrozen_from=0)
    if compute.device.type == "cpu":
        keep_freed_blocks()
    model.to(compute.device).to(memory_format=torch.channels_last)
    freeze(model, plan.unfrozen_from)
    kept = (round(size[0] * recipe.cache_scale), round(size[1] * recipe.cache_scale))
    pictures = decode_split(dataset, "train", kept, recipe.resize)
    processes = usable_cores() if compute.device.type == "cuda" else 0
    kind = find_kind("vgg19unet")
    batches = Batches(pictures, recipe, size, batch, seed, kind, processes=processes)
    optimiser, schedule = make_optimiser(model, plan, 10_000, decoupled=recipe_name != "article")
    stepper = Stepper(model, optimiser, schedule, compute, dice=recipe.dice, clip=plan.clip)
    average = None if recipe.average is None else moving_average(model, recipe.average)
    epoch = 0
    while True:
        for each in batches.epoch(epoch):
            loss = stepper.step(each)
            if average is not None:
                average.update_parameters(model)
            yield loss
        epoch += 1
