"""Training from the first step to the last: batches -> steps -> validation, and going on later."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from rich.progress import Progress
from torch import nn

from train.epoch import Epoch, Interrupted, Position
from train.materials import Materials
from train.optimise import freeze, make_optimiser, moving_average
from train.parallel import any_rank, rank
from train.plan import Stage, scale_at
from train.seeds import mixed_seed
from train.state import optimiser_state, restore_optimiser
from train.step import Stepper, check_loss, check_validation
from train.stopping import EarlyStopper
from train.validate import validate

SAVE_EVERY_S = 300.0
"""A long epoch is saved on the way."""
SAVING_SHARE = 0.05
"""Of the time, where epochs are so short that saving each one would cost more."""


class Trainer:
    """Trains one network through all stages of a plan."""

    def __init__(
        self,
        model: nn.Module,
        plan: list[Stage],
        materials: Materials,
        report: Callable[[Epoch], None],
    ) -> None:
        """report: called after each epoch, before `save` of `run`."""
        self._model, self._plan, self._materials, self._report = model, plan, materials, report
        self.position = Position()
        self._begin_stage()

    def run(self, progress: Progress, stop: Callable[[], bool], save: Callable[[], None]) -> None:
        """Trains to the end of the plan; the network then has the last stage's weights.

        save: writes `state` to disk; it is called after each epoch, or after as many as keep it
        within SAVING_SHARE of the time, every few minutes, and when stop() says that the user
        wants to end, which raises Interrupted. Raises ModelError when
        the loss is no longer finite, and whatever save and report raise.
        """
        save_epoch = _sparing(save)
        while True:
            total = self._stage.epochs * len(self._materials.batches)
            bar = progress.add_task(f"stage {self.position.stage + 1}", total=total)
            while not self._stage_is_over():
                self._run_epoch(stop, save, partial(progress.update, bar))
                save_epoch()
            progress.remove_task(bar)
            if self.position.stage == len(self._plan) - 1:
                return
            self._stopper.restore(self._model)
            self.position = Position(stage=self.position.stage + 1, number=self.position.number)
            self._begin_stage()

    def state(self) -> dict[str, Any]:
        """All that `resume` needs to take the very steps that this trainer would take next."""
        return {
            "position": dict(vars(self.position)),
            "model": self._model.state_dict(),
            "average": None if self._average is None else self._average.state_dict(),
            "optimiser": optimiser_state(self._optimiser),
            "schedule": self._schedule.state_dict(),
            "scaler": self._stepper.scaler.state_dict(),
            "stopper": self._stopper.state(),
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Takes over what `state` gave, in a trainer of the same plan, materials and network."""
        self.position = Position(**state["position"])
        self._begin_stage()
        self._model.load_state_dict(state["model"])
        if self._average is not None:
            self._average.load_state_dict(state["average"])
        restore_optimiser(self._optimiser, state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self._stepper.scaler.load_state_dict(state["scaler"])
        self._stopper.resume(state["stopper"])

    @property
    def _stage(self) -> Stage:
        return self._plan[self.position.stage]

    def _stage_is_over(self) -> bool:
        return self._stopper.stop or self.position.epoch == self._stage.epochs

    def _begin_stage(self) -> None:
        stage, recipe = self._stage, self._materials.recipe
        freeze(self._model, stage.unfrozen_from)
        steps = stage.epochs * len(self._materials.batches)
        self._optimiser, self._schedule = make_optimiser(
            self._model, stage, steps, decoupled=recipe.name != "article"
        )
        average = recipe.average
        self._average = None if average is None else moving_average(self._model, average)
        self._stepper = Stepper(
            self._model,
            self._optimiser,
            self._schedule,
            self._materials.compute,
            dice=recipe.dice,
            clip=stage.clip,
            steady=recipe.steady,
            compiled=self._materials.compiled,
        )
        self._stopper = EarlyStopper(
            stage.patience,
            stage.min_epoch,
            higher_is_better=recipe.choose_by == "iou",
            keep_weights=self.position.stage < len(self._plan) - 1,
        )

    def _run_epoch(
        self, stop: Callable[[], bool], save: Callable[[], None], tell: Callable[..., None]
    ) -> None:
        """The rest of the epoch that has begun, or a new one, and its validation."""
        position, materials = self.position, self._materials
        number = position.number + 1
        began, saved = time.monotonic() - position.seconds, time.monotonic()
        scale = scale_at(materials.recipe, position.epoch / self._stage.epochs)
        for batch in materials.batches.epoch(number, len(position.losses), scale):
            # Of dropout: no generator has to be saved, which each rank would have one of.
            torch.manual_seed(mixed_seed(materials.seed, number, len(position.losses), rank()))
            loss = self._stepper.step(batch)
            check_loss(loss, number, len(position.losses) + 1, batch.names)
            if self._average is not None:
                self._average.update_parameters(self._model)
            position.losses.append(loss)
            position.seconds = time.monotonic() - began
            tell(
                completed=position.epoch * len(materials.batches) + len(position.losses),
                description=f"epoch {number}  loss {np.mean(position.losses[-20:]):.3f}",
            )
            if any_rank(stop()):
                save()
                raise Interrupted
            if time.monotonic() - saved > SAVE_EVERY_S:
                save()
                saved = time.monotonic()
        judged = self._model if self._average is None else self._average.module
        validation = validate(judged, materials.val, materials.compute, materials.recipe.dice)
        check_validation(validation.loss, number)
        by_loss = materials.recipe.choose_by == "loss"
        value = validation.loss if by_loss else validation.scores.iou
        epoch = Epoch(
            number=number,
            stage=position.stage + 1,
            rate=self._optimiser.param_groups[0]["lr"],
            train_loss=float(np.mean(position.losses)),
            validation=validation,
            seconds=time.monotonic() - began,
            best=self._stopper.update(position.epoch + 1, value, judged),
            model=judged,
        )
        self.position = Position(stage=position.stage, epoch=position.epoch + 1, number=number)
        self._report(epoch)


def _sparing(save: Callable[[], None]) -> Callable[[], None]:
    """Calls that save only where that keeps within SAVING_SHARE of the time; the first one does."""
    due = -math.inf

    def save_if_due() -> None:
        nonlocal due
        began = time.monotonic()
        if began >= due:
            save()
            due = began + (time.monotonic() - began) / SAVING_SHARE

    return save_if_due
