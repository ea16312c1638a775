"""What training makes small."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from train.parallel import total


def segmentation_loss(logits: Tensor, masks: Tensor, *, dice: bool, shared: bool = True) -> Tensor:
    """Mean binary cross entropy, plus the Dice loss where `dice` is wanted; a scalar in float32.

    Dice is 1 - Dice of probabilities over the whole batch (Milletari et al., 2016), smoothed by
    one pixel so that a batch without water has a gradient too. logits, masks: (N, 1, h, w), masks
    are 0 or 1. shared: they are this rank's share of a batch, and the loss is the whole batch's.
    """
    logits = logits.float()
    probabilities = torch.sigmoid(logits)
    sums = torch.stack(
        [
            F.binary_cross_entropy_with_logits(logits, masks, reduction="sum"),
            (probabilities * masks).sum(),
            probabilities.sum() + masks.sum(),
            masks.new_tensor(float(masks.numel())),
        ]
    )
    cross_entropy, overlap, both, pixels = (total(sums) if shared else sums).unbind()
    cross_entropy = cross_entropy / pixels
    if not dice:
        return cross_entropy
    return cross_entropy + 1.0 - (2.0 * overlap + 1.0) / (both + 1.0)


def unsteadiness(logits: Tensor, again: Tensor) -> Tensor:
    """Mean absolute difference of the probabilities of two exposures of the same pictures, 0 to 1;
    a scalar in float32, over all ranks.

    The consistency of Laine and Aila, "Temporal ensembling for semi-supervised learning", ICLR
    2017, with the difference itself in place of its square: what flickers is many small changes.
    logits, again: (N, 1, h, w).
    """
    changes = torch.sigmoid(logits.float()) - torch.sigmoid(again.float())
    change, pixels = total(
        torch.stack([changes.abs().sum(), changes.new_tensor(float(changes.numel()))])
    ).unbind()
    return change / pixels
