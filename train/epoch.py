"""What an epoch gives, where a run stands between and within them, and how a user ends it."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import nn

from train.validate import Validation


class Interrupted(Exception):  # noqa: N818
    """The user asked to end; everything up to the last step is saved."""


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """What one epoch gave. number counts from 1 through all stages; model: the network that was
    scored; best: of its stage."""

    number: int
    stage: int
    rate: float
    train_loss: float
    validation: Validation
    seconds: float
    best: bool
    model: nn.Module


@dataclass(kw_only=True)
class Position:
    """Where a run stands: its stage from 0, the epochs that are finished in that stage and in all
    stages, and of the epoch that has begun the losses of its steps and the seconds it took."""

    stage: int = 0
    epoch: int = 0
    number: int = 0
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0
