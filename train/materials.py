"""What all stages of a run share: its pictures, recipe and device."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from runtime.backends.cores import usable_cores
from runtime.backends.heap import keep_freed_blocks
from runtime.errors import DataError
from train.batches import Batches
from train.beside import beside, joined
from train.cache import Pictures, decode, decode_split
from train.compute import Compute, find_compute
from train.console import console
from train.models import find_kind
from train.parallel import ranks
from train.recipe import Recipe
from train.samples import MASK_THRESHOLD, DataSet
from train.settings import Settings
from train.teacher import open_teacher
from train.views import taught_pictures


@dataclass(frozen=True, kw_only=True)
class Materials:
    """What all stages of a run share."""

    recipe: Recipe
    compute: Compute
    batches: Batches
    val: Pictures
    seed: int
    compiled: bool = False


def gather_materials(
    settings: Settings, recipe: Recipe, dataset: DataSet, model: nn.Module
) -> Materials:
    """Reads or makes all pictures of a run, and moves its network to where it will compute.

    Raises DataError, ModelError, ManifestError and BackendError.
    """
    compute = find_compute(settings.precision)
    model.to(compute.device, memory_format=torch.channels_last)
    height, width = settings.input_size
    others = beside(_folder(settings.also), _folder(settings.dry))
    if settings.teacher is None:
        scale = recipe.cache_scale
        size = (round(height * scale), round(width * scale))
        parts = [decode_split(dataset, "train", size, recipe.resize)]
        _check_water(parts[0], "train")
        for name, samples in others.items():
            parts.append(decode(samples, f"reading {name}", size, recipe.resize))
    else:
        with open_teacher(Path(settings.teacher), compute) as teacher:
            parts = [taught_pictures(dataset, teacher, recipe, settings.seed, others)]
    val = decode_split(dataset, "val", settings.input_size, recipe.resize)
    _check_water(val, "val")
    if compute.device.type == "cpu":
        keep_freed_blocks()  # behind a teacher, whose loading gives them back
    return Materials(
        recipe=recipe,
        compute=compute,
        batches=Batches(
            joined(parts),
            recipe,
            settings.input_size,
            settings.batch,
            settings.seed,
            find_kind(settings.model),
            parts=[len(part) for part in parts],
            times=recipe.times(len(parts[0])),
            processes=usable_cores() // ranks() if compute.device.type == "cuda" else 0,
        ),
        val=val,
        seed=settings.seed,
        compiled=settings.compile,
    )


def _folder(name: str | None) -> Path | None:
    return None if name is None else Path(name)


def _check_water(pictures: Pictures, split: str) -> None:
    """Raises DataError where no mask shows water: masks of 0 and 1 instead of 0 and 255 do not."""
    if not pictures.masks.any():
        raise DataError(
            f"no mask of the split '{split}' ({len(pictures)} pictures) shows water, which is what "
            f"lies above grey {MASK_THRESHOLD}; 'python -m train.audit' says what the masks hold"
        )


def introduce(settings: Settings, dataset: DataSet, materials: Materials, pretrained: bool) -> None:
    """Says on stderr what is trained, on what, and where."""
    height, width = settings.input_size
    encoder = "pretrained encoder" if pretrained else "encoder from scratch"
    console.print(
        f"{settings.model} width {settings.width:g}, {encoder}, {height}x{width}, "
        f"recipe {' '.join((settings.recipe, *settings.change))}, on {materials.compute}"
        f"{f', {ranks()} processes' if ranks() > 1 else ''}"
    )
    console.print(f"{dataset.name}: {dataset.split_rule}")
    number = len(materials.batches.pictures)
    if (times := materials.batches.times) > 1:
        console.print(f"these are few pictures: each epoch shows them {times} times, never alike")
    if settings.teacher is not None:
        console.print(f"{number} pictures to learn from; teacher: {settings.teacher}")
    elif settings.also or settings.dry:
        console.print(f"{number} pictures to learn from, with those of --also and --dry")
