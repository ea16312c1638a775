from __future__ import annotations

import math

import torch
from torch import nn

from train.stopping import EarlyStopper


def _set(model: nn.Linear, value: float) -> None:
    with torch.no_grad():
        model.weight.fill_(value)


def test_stops_after_patience_epochs_without_improvement_and_restores_the_best() -> None:
    model, stopper = nn.Linear(1, 1), EarlyStopper(patience=2)
    stopped = []
    for epoch, loss in enumerate([3.0, 1.0, 2.0, 1.5], start=1):
        _set(model, loss)
        stopper.update(epoch, loss, model)
        stopped.append(stopper.stop)
    assert stopped == [False, False, False, True]
    assert (stopper.best, stopper.best_epoch) == (1.0, 2)
    stopper.restore(model)
    assert model.weight.item() == 1.0


def test_never_stops_before_the_minimum_epoch() -> None:
    model, stopper = nn.Linear(1, 1), EarlyStopper(patience=1, min_epoch=4)
    stops = []
    for epoch in range(1, 6):
        stopper.update(epoch, 1.0, model)
        stops.append(stopper.stop)
    assert stops == [False, False, False, True, True]


def test_scores_are_better_when_higher_and_nan_never_is_the_best() -> None:
    model, stopper = nn.Linear(1, 1), EarlyStopper(None, higher_is_better=True)
    values = [0.2, 0.5, math.nan, 0.4]
    improved = [stopper.update(n, value, model) for n, value in enumerate(values, start=1)]
    assert improved == [True, True, False, False]
    assert not stopper.stop
