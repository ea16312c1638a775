"""One optimiser step."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from runtime.errors import ModelError
from train.batches import Batch
from train.compute import Compute
from train.exposure import exposed_again
from train.loss import segmentation_loss, unsteadiness
from train.parallel import distributed

EXPLODED = 100.0
"""A mean cross entropy that no network reaches which still learns."""


class Stepper:
    """One optimiser step per call. scaler: keeps small FP16 gradients above zero."""

    def __init__(
        self,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
        compute: Compute,
        *,
        dice: bool,
        clip: float | None,
        steady: float = 0.0,
        compiled: bool = False,
    ) -> None:
        """steady: weight of what a second exposure of half of a batch changes; 0 takes none."""
        network = distributed(model)
        self._network = torch.compile(network) if compiled else network
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        self._optimiser, self._schedule = optimiser, schedule
        self._compute, self._dice, self._clip, self._steady = compute, dice, clip, steady
        self.scaler = compute.scaler()

    def step(self, batch: Batch) -> float:
        """Moves the weights once and returns the loss before that, of the whole batch; NaN and
        infinite losses are returned too, and move nothing."""
        device = self._compute.device
        self._network.train()
        self._optimiser.zero_grad(set_to_none=True)
        loss = self._loss(batch.images.to(device, non_blocking=True), batch.masks.to(device))
        value = float(loss.detach())
        if np.isfinite(value):
            self.scaler.scale(loss).backward()
            if self._clip is not None:
                self.scaler.unscale_(self._optimiser)
                nn.utils.clip_grad_norm_(self._parameters, self._clip)
            self.scaler.step(self._optimiser)
            self.scaler.update()
            self._schedule.step()
        return value

    def _loss(self, images: Tensor, masks: Tensor) -> Tensor:
        again = (len(images) + 1) // 2 if self._steady else 0
        if again:
            images = torch.cat([images, exposed_again(images[:again])])
            masks = torch.cat([masks, masks[:again]])
        with self._compute.autocast():
            logits = self._network(images)
        loss = segmentation_loss(logits, masks, dice=self._dice)
        if again:
            loss = loss + self._steady * unsteadiness(logits[:again], logits[-again:])
        return loss


def check_loss(loss: float, epoch: int, step: int, names: tuple[str, ...]) -> None:
    """Raises ModelError when training cannot go on: the loss is not finite, or has exploded."""
    if loss < EXPLODED:
        return
    raise ModelError(
        f"the loss became {loss:.3g} in epoch {epoch}, step {step} (pictures {', '.join(names)}); "
        f"{_kept(epoch)}try a smaller --rate, --precision fp32, or look at these pictures with "
        "'python -m train.audit'"
    )


def check_validation(loss: float, epoch: int) -> None:
    """Raises ModelError when the loss on val is not finite: the last steps of an epoch spoilt the
    weights, and no step after them has shown it."""
    if not np.isfinite(loss):
        raise ModelError(
            f"the loss on val became {loss:.3g} in epoch {epoch}; {_kept(epoch)}try a smaller "
            "--rate, or --precision fp32"
        )


def _kept(epoch: int) -> str:
    return "the weights of the epoch before are kept; " if epoch > 1 else ""
