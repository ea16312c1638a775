"""A stage's optimiser: which layers it moves, how fast, and how that changes over the steps."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
from torch.optim.swa_utils import AveragedModel

from train.kind import encoder_layers, encoder_parameters
from train.plan import Stage
from train.recipe import ALL_FROZEN

WARM_UP = 0.1
"""Share of a schedule in which the rate rises."""
FLOOR = 0.01
"""Where the cosine ends, as a share of the peak."""


def freeze(model: nn.Module, unfrozen_from: int) -> None:
    """Lets train everything except the encoder's layers before that index; an encoder that is no
    sequence of layers trains as a whole unless all is to be frozen.

    Autograd builds no graph through layers that neither train nor follow one that does, so a
    frozen encoder costs a forward pass only.
    """
    model.requires_grad_(True)
    layers = encoder_layers(model)
    if unfrozen_from < ALL_FROZEN:
        layers = layers[:unfrozen_from] if len(layers) > 1 else []
    for layer in layers:
        layer.requires_grad_(False)


def set_dropout(model: nn.Module, share: float) -> None:
    """How much dropout drops, in all of a network's dropout layers."""
    for layer in model.modules():
        if isinstance(layer, nn.Dropout | nn.Dropout2d):
            layer.p = share


def make_optimiser(
    model: nn.Module, stage: Stage, steps: int, *, decoupled: bool
) -> tuple[torch.optim.Optimizer, LRScheduler]:
    """Optimiser and schedule of one stage; call `freeze` before. steps: optimiser steps of the
    whole stage. decoupled: AdamW instead of Adam. The schedule is stepped after each batch."""
    pretrained = {id(parameter) for parameter in encoder_parameters(model)}
    encoder, rest = [], []
    for parameter in model.parameters():
        if parameter.requires_grad:
            (encoder if id(parameter) in pretrained else rest).append(parameter)
    groups = [{"params": rest, "lr": stage.rate}]
    if encoder:
        groups.append({"params": encoder, "lr": stage.rate * stage.encoder_rate})
    kind = torch.optim.AdamW if decoupled else torch.optim.Adam
    optimiser = kind(groups, lr=stage.rate, weight_decay=stage.weight_decay)
    return optimiser, LambdaLR(
        optimiser, lambda step: rate_factor(step, steps) if stage.cosine else 1.0
    )


def rate_factor(step: int, steps: int) -> float:
    """Share of the peak rate: up in a line over the first tenth, then down along half a cosine
    (Loshchilov and Hutter, 2017). step: from 0."""
    rising = max(1.0, WARM_UP * steps)
    if step < rising:
        return (step + 1) / (rising + 1)
    done = min(1.0, (step - rising) / max(1.0, steps - rising))
    return FLOOR + (1.0 - FLOOR) * 0.5 * (1.0 + math.cos(math.pi * done))


def moving_average(model: nn.Module, decay: float) -> AveragedModel:
    """An exponential moving average of the weights and of batch norm's statistics.

    Over the first steps it forgets faster, by (1 + n) / (10 + n), so that it does not keep the
    weights that training began with.
    """

    @torch.no_grad()
    def average(
        kept: list[torch.Tensor], new: list[torch.Tensor], count: torch.Tensor | int
    ) -> None:
        share = 1.0 - min(decay, (1.0 + float(count)) / (10.0 + float(count)))
        if kept[0].is_floating_point():
            torch._foreach_lerp_(kept, new, share)
        else:
            torch._foreach_copy_(kept, new)

    return AveragedModel(model, multi_avg_fn=average, use_buffers=True)
