"""A stage's optimiser: which layers it moves, how fast, and how that changes over the steps."""

from __future__ import annotations

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from train.recipe import Stage

WARM_UP = 0.1
"""Share of a one-cycle schedule in which the rate rises."""


def freeze(model: nn.Module, unfrozen_from: int) -> None:
    """Lets train everything except the layers of `features` before that index.

    Autograd builds no graph through layers that neither train nor follow one that does, so a
    frozen encoder costs a forward pass only.
    """
    model.requires_grad_(True)
    features = getattr(model, "features", None)
    if features is not None:
        for layer in features[:unfrozen_from]:
            layer.requires_grad_(False)


def make_optimiser(
    model: nn.Module, stage: Stage, steps: int, *, decoupled: bool
) -> tuple[torch.optim.Optimizer, LRScheduler]:
    """Optimiser and schedule of one stage; call `freeze` before. steps: optimiser steps of the
    whole stage. decoupled: AdamW instead of Adam. The schedule is stepped after each batch."""
    encoder, rest = [], []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            (encoder if name.startswith("features.") else rest).append(parameter)
    groups = [{"params": rest, "lr": stage.rate}]
    if encoder:
        groups.append({"params": encoder, "lr": stage.rate * stage.encoder_rate})
    kind = torch.optim.AdamW if decoupled else torch.optim.Adam
    optimiser = kind(groups, lr=stage.rate, weight_decay=stage.weight_decay)
    if not stage.one_cycle:
        return optimiser, LambdaLR(optimiser, lambda step: 1.0)
    peaks = [group["lr"] for group in optimiser.param_groups]
    # One step more than there are: the schedule is also stepped after the last batch.
    return optimiser, OneCycleLR(
        optimiser, peaks, total_steps=max(steps + 1, 4), pct_start=WARM_UP, cycle_momentum=False
    )
