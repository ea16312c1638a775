"""One training run, from settings to the finished run folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from runtime.errors import SinkError
from runtime.stopping import stop_on_signals
from train.changes import changed
from train.compute import compute_alike
from train.console import console, quiet
from train.dataset import open_dataset
from train.encoder import prepare_encoder
from train.leaks import tell_leaks
from train.loop import Trainer
from train.manifest import first_manifest
from train.materials import Materials, gather_materials, introduce
from train.metrics import Scores
from train.models import build_model
from train.optimise import set_dropout
from train.parallel import first_says, is_first
from train.plan import stages
from train.recipe import find_recipe
from train.report import Reporter, draw
from train.resume import origin, read_run
from train.run_folder import RunFolder
from train.samples import DataSet
from train.settings import Settings, write_settings
from train.state import write_state
from train.summary.page import write_report
from train.trained_data import tell_earlier_split


def train(settings: Settings, folder: RunFolder, *, resume: bool = False) -> Scores:
    """Trains a network, fills the run's folder and returns the best checkpoint's scores on val.

    resume: goes on where an interrupted run of these settings stands. Raises Interrupted when the
    user ends it; what the finished epochs gave is then drawn too. Raises DataError, ModelError and
    SinkError; the last saved state stays.
    """
    if settings.deterministic:
        compute_alike()
    dataset = open_dataset(
        settings.data,
        Path(settings.pairs) if settings.pairs else None,
        settings.seed if settings.split_seed is None else settings.split_seed,
    )
    state = read_run(settings, folder, dataset) if resume else None
    try:
        run = _prepare(settings, folder, dataset, state)
        if state is None and is_first():
            write_settings(settings, folder.path)
            run.save()  # a disk that is full is told now, and a killed run can always go on
    except BaseException:
        if state is None and folder.taken:
            folder.abandon()
        raise
    with _progress() as progress, stop_on_signals() as stop, _drawn(run):
        run.trainer.run(progress, stop, run.save)
    if is_first():
        write_report(folder, run.materials.val, run.materials.compute, progress=not quiet)
        folder.state.unlink(missing_ok=True)
    return first_says(run.reporter.best_scores if is_first() else None)


@dataclass(frozen=True, kw_only=True)
class _Run:
    """A run that is ready to begin or to go on; facts: what its state says beside the trainer's
    and the reporter's."""

    trainer: Trainer
    reporter: Reporter
    materials: Materials
    folder: RunFolder
    facts: dict[str, Any]

    def save(self) -> None:
        """Writes what --resume needs; one process does it for all."""
        if is_first():
            parts = {"trainer": self.trainer.state(), "reporter": self.reporter.state()}
            write_state(self.folder.state, self.facts | parts)

    def draw(self) -> None:
        if is_first():
            draw(self.folder, self.reporter, self.materials)


@contextlib.contextmanager
def _drawn(run: _Run) -> Iterator[None]:
    """Draws what the epochs gave, however the block ends; on a disk that is full nothing."""
    try:
        yield
    except SinkError:
        raise
    except BaseException:
        run.draw()
        raise
    run.draw()


def _prepare(
    settings: Settings, folder: RunFolder, dataset: DataSet, state: dict[str, Any] | None
) -> _Run:
    """A new run, or that of a state."""
    recipe = changed(find_recipe(settings.recipe), settings.change)
    torch.manual_seed(settings.seed)
    model = build_model(settings.model, settings.width)
    if model.kind.start == "recipe":
        set_dropout(model, recipe.dropout)
    if state is None:
        pretrained = prepare_encoder(model, settings.encoder, recipe.he_init)
        if is_first():
            folder.begin()
    else:
        pretrained = state["pretrained"]
    if is_first():
        for earlier in filter(None, (settings.encoder, settings.teacher)):
            tell_earlier_split(Path(earlier), dataset)
    materials = gather_materials(settings, recipe, dataset, model)
    introduce(settings, dataset, materials, pretrained)
    if state is None and settings.teacher is None and is_first():
        tell_leaks(dataset, materials.batches.pictures, materials.val)
    plan = stages(
        recipe,
        epochs=settings.epochs,
        rate=settings.rate,
        patience=settings.patience,
        pretrained=pretrained,
    )
    epochs = sum(stage.epochs for stage in plan)
    reporter = Reporter(first_manifest(settings, recipe, dataset), folder, materials, epochs)
    trainer = Trainer(model, plan, materials, reporter.report)
    if state is not None:
        trainer.resume(state["trainer"])
        reporter.resume(state["reporter"])
        console.print(f"going on after epoch {trainer.position.number}")
    return _Run(
        trainer=trainer,
        reporter=reporter,
        materials=materials,
        folder=folder,
        facts={**origin(settings, dataset), "pretrained": pretrained},
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
