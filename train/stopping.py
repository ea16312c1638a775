"""When to stop, and which weights to keep."""

from __future__ import annotations

import copy
import math
from typing import Any

from torch import Tensor, nn


class EarlyStopper:
    """Keeps the best weights and says when nothing better has come for `patience` epochs.

    patience: epochs without improvement that are allowed; None never stops early. min_epoch: the
    first epoch, counted from 1, after which stopping is allowed. higher_is_better: True for
    scores, False for losses. keep_weights False: nobody will restore, so nothing is copied.
    """

    def __init__(
        self,
        patience: int | None,
        min_epoch: int = 0,
        *,
        higher_is_better: bool = False,
        keep_weights: bool = True,
    ) -> None:
        self.patience = patience
        self.min_epoch = min_epoch
        self.best = -math.inf if higher_is_better else math.inf
        self.best_epoch = 0
        self.stop = False
        self._sign = 1.0 if higher_is_better else -1.0
        self._keep_weights = keep_weights
        self._weights: dict[str, Tensor] | None = None

    def update(self, epoch: int, value: float, model: nn.Module) -> bool:
        """Takes one epoch's value; True when it is the best so far. A NaN never is."""
        improved = self._sign * value > self._sign * self.best
        if improved:
            self.best, self.best_epoch = value, epoch
            if self._keep_weights:
                self._weights = copy.deepcopy(model.state_dict())
        waited = epoch - self.best_epoch
        self.stop = (
            self.patience is not None and waited >= self.patience and epoch >= self.min_epoch
        )
        return improved

    def restore(self, model: nn.Module) -> None:
        """Puts the best weights back into the network; without any epoch it stays as it is."""
        if self._weights is not None:
            model.load_state_dict(self._weights)

    def state(self) -> dict[str, Any]:
        """What `resume` needs to go on as if nothing had happened."""
        return {
            "best": self.best,
            "best_epoch": self.best_epoch,
            "stop": self.stop,
            "weights": self._weights,
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Takes over what `state` gave."""
        self.best, self.best_epoch = state["best"], state["best_epoch"]
        self.stop, self._weights = state["stop"], state["weights"]
