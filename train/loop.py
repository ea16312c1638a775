"""One stage of training: batches -> steps -> validation, until its epochs or patience end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from rich.progress import Progress, TaskID
from torch import nn

from runtime.errors import ModelError
from train.batches import Batch, Batches
from train.cache import Pictures
from train.compute import Compute
from train.loss import segmentation_loss
from train.optimise import freeze, make_optimiser
from train.recipe import Recipe, Stage
from train.stopping import EarlyStopper
from train.validate import Validation, validate


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """What one epoch gave. number counts from 1 through all stages; best: of its stage."""

    number: int
    stage: int
    rate: float
    train_loss: float
    validation: Validation
    seconds: float
    best: bool


@dataclass(frozen=True, kw_only=True)
class Materials:
    """What all stages of a run share."""

    recipe: Recipe
    compute: Compute
    batches: Batches
    val: Pictures
    seed: int


def train_stage(
    model: nn.Module,
    stage: Stage,
    index: int,
    first_epoch: int,
    materials: Materials,
    progress: Progress,
    report: Callable[[Epoch], None],
) -> int:
    """Runs one stage, puts its best weights into the network and returns the last epoch's number.

    index: the stage's number from 0. first_epoch: number of its first epoch. report is called
    after each epoch. Raises ModelError when the loss is no longer finite.
    """
    recipe, compute = materials.recipe, materials.compute
    freeze(model, stage.unfrozen_from)
    steps = stage.epochs * len(materials.batches)
    optimiser, schedule = make_optimiser(model, stage, steps, decoupled=recipe.name != "article")
    stepper = Stepper(model, optimiser, schedule, compute, recipe.dice, stage.clip)
    stopper = EarlyStopper(
        stage.patience, stage.min_epoch, higher_is_better=recipe.choose_by == "iou"
    )
    task = progress.add_task(f"stage {index + 1}", total=steps)
    number = first_epoch
    for epoch in range(1, stage.epochs + 1):
        number = first_epoch + epoch - 1
        started = time.monotonic()
        torch.manual_seed(materials.seed * 1_000_003 + number)
        loss = _run_epoch(stepper, materials.batches, number, progress, task)
        validation = validate(model, materials.val, compute, recipe.dice)
        value = validation.loss if recipe.choose_by == "loss" else validation.scores.iou
        report(
            Epoch(
                number=number,
                stage=index + 1,
                rate=optimiser.param_groups[0]["lr"],
                train_loss=loss,
                validation=validation,
                seconds=time.monotonic() - started,
                best=stopper.update(epoch, value, model),
            )
        )
        if stopper.stop:
            break
    stopper.restore(model)
    progress.remove_task(task)
    return number


class Stepper:
    """One optimiser step per call."""

    def __init__(
        self,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
        compute: Compute,
        dice: bool,
        clip: float | None,
    ) -> None:
        self._model, self._optimiser, self._schedule = model, optimiser, schedule
        self._compute, self._dice, self._clip = compute, dice, clip
        self._scaler = compute.scaler()

    def step(self, batch: Batch) -> float:
        """Moves the weights once and returns the loss before that; NaN and infinite losses are
        returned too, and move nothing."""
        device = self._compute.device
        self._model.train()
        self._optimiser.zero_grad(set_to_none=True)
        with self._compute.autocast():
            logits = self._model(batch.images.to(device, non_blocking=True))
        loss = segmentation_loss(logits, batch.masks.to(device), dice=self._dice)
        value = float(loss.detach())
        if np.isfinite(value):
            self._scaler.scale(loss).backward()
            if self._clip is not None:
                self._scaler.unscale_(self._optimiser)
                nn.utils.clip_grad_norm_(self._model.parameters(), self._clip)
            self._scaler.step(self._optimiser)
            self._scaler.update()
            self._schedule.step()
        return value


def _run_epoch(
    stepper: Stepper, batches: Batches, number: int, progress: Progress, task: TaskID
) -> float:
    """The mean training loss of an epoch."""
    losses = []
    for step, batch in enumerate(batches.epoch(number), start=1):
        loss = stepper.step(batch)
        if not np.isfinite(loss):
            raise ModelError(
                f"the loss became {loss} in epoch {number}, step {step} "
                f"(pictures {', '.join(batch.names)}); try a smaller --rate"
            )
        losses.append(loss)
        progress.update(
            task, advance=1, description=f"epoch {number}  loss {np.mean(losses[-20:]):.3f}"
        )
    return float(np.mean(losses))
