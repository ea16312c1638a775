"""One training run, from settings to the finished run folder."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import nn

import runtime
from runtime.manifest import SCHEMA, Manifest, Provenance, TrainedOn
from train.batches import Batches
from train.cache import decode_split
from train.compute import find_compute
from train.console import console, quiet
from train.dataset import DataSet, open_dataset
from train.encoder import prepare_encoder
from train.loop import Materials, train_stage
from train.metrics import Scores
from train.models import build_model
from train.recipe import IMAGENET_MEAN, IMAGENET_STD, Recipe, find_recipe, stages
from train.report import Reporter, draw
from train.run_folder import RunFolder
from train.settings import Settings, write_settings

THRESHOLD = 0.5
CLASS_NAMES = ("land", "water")


def train(settings: Settings, folder: RunFolder) -> Scores:
    """Trains a network, fills the run's folder and returns the best checkpoint's scores on val.

    When it is interrupted or fails on the way, what the finished epochs gave is kept and drawn.
    Raises DataError, ModelError and SinkError.
    """
    recipe = find_recipe(settings.recipe)
    dataset = open_dataset(
        settings.data, Path(settings.pairs) if settings.pairs else None, settings.seed
    )
    torch.manual_seed(settings.seed)
    model = build_model(settings.model, settings.width)
    pretrained = prepare_encoder(model, settings.encoder, recipe.he_init)
    folder.clear()
    write_settings(settings, folder.path)
    materials = _prepare(settings, recipe, dataset, model)
    _introduce(settings, dataset, materials, pretrained)
    plan = stages(
        recipe,
        epochs=settings.epochs,
        rate=settings.rate,
        patience=settings.patience,
        pretrained=pretrained,
    )
    with _progress() as progress:
        reporter = Reporter(
            model,
            _manifest(settings, recipe, dataset),
            folder,
            materials,
            epochs=sum(stage.epochs for stage in plan),
        )
        try:
            number = 0
            for index, stage in enumerate(plan):
                number = train_stage(
                    model, stage, index, number + 1, materials, progress, reporter.report
                )
        finally:
            draw(folder, reporter, materials)
    return reporter.best_scores


def _prepare(settings: Settings, recipe: Recipe, dataset: DataSet, model: nn.Module) -> Materials:
    compute = find_compute()
    model.to(compute.device, memory_format=torch.channels_last)
    height, width = settings.input_size
    scale = recipe.cache_scale
    train_size = (round(height * scale), round(width * scale))
    return Materials(
        recipe=recipe,
        compute=compute,
        batches=Batches(
            decode_split(dataset, "train", train_size, recipe.resize),
            recipe,
            settings.input_size,
            settings.batch,
            settings.seed,
        ),
        val=decode_split(dataset, "val", settings.input_size, recipe.resize),
        seed=settings.seed,
    )


def _introduce(
    settings: Settings, dataset: DataSet, materials: Materials, pretrained: bool
) -> None:
    height, width = settings.input_size
    encoder = "pretrained encoder" if pretrained else "encoder from scratch"
    console.print(
        f"{settings.model} width {settings.width:g}, {encoder}, {height}x{width}, "
        f"recipe {settings.recipe}, on {materials.compute}"
    )
    console.print(f"{dataset.name}: {dataset.split_rule}")


def _manifest(settings: Settings, recipe: Recipe, dataset: DataSet) -> Manifest:
    """The contract of this run's checkpoints; scores and hashes are filled in when one is saved."""
    tools = {name: version(name) for name in ("torch", "torchvision", "albumentations")}
    return Manifest(
        schema=SCHEMA,
        model=settings.model,
        width=settings.width,
        input_size=settings.input_size,
        batch=0,
        resize=recipe.resize,
        colour_order="RGB",
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        threshold=THRESHOLD,
        class_names=CLASS_NAMES,
        precision="fp32",
        trained_on=TrainedOn(
            dataset=dataset.name,
            fingerprint=dataset.fingerprint,
            split=dataset.split_rule,
            scores={},
        ),
        provenance=Provenance(
            checkpoint_sha256="0" * 64, tools={"flood-runtime": runtime.__version__, **tools}
        ),
        artefact_sha256="0" * 64,
    )


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=quiet,
    )
