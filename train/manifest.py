"""The contract that a run's checkpoints begin with."""

from __future__ import annotations

import dataclasses
from importlib.metadata import version
from pathlib import Path

import runtime
from runtime.manifest import SCHEMA, Manifest
from runtime.manifest_parts import Provenance, TrainedOn
from train.metrics import Scores
from train.models import find_kind
from train.recipe import IMAGENET_MEAN, IMAGENET_STD, Recipe
from train.samples import DataSet
from train.settings import Settings
from train.teacher import teachers_hash

THRESHOLD = 0.5
CLASS_NAMES = ("land", "water")


def first_manifest(settings: Settings, recipe: Recipe, dataset: DataSet) -> Manifest:
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
        sizes=find_kind(settings.model).sizes,
        trained_on=TrainedOn(
            dataset=dataset.name,
            fingerprint=dataset.fingerprint,
            split=dataset.split_rule,
            scores={},
            teacher=None if settings.teacher is None else teachers_hash(Path(settings.teacher)),
        ),
        provenance=Provenance(
            checkpoint_sha256="0" * 64, tools={"flood-runtime": runtime.__version__, **tools}
        ),
        artefact_sha256="0" * 64,
    )


def with_scores(manifest: Manifest, scores: Scores) -> Manifest:
    """The same contract for weights that have these scores on val."""
    rounded = {name: round(value, 6) for name, value in dataclasses.asdict(scores).items()}
    trained_on = dataclasses.replace(manifest.trained_on, scores=rounded)
    return dataclasses.replace(manifest, trained_on=trained_on)
