"""What training makes small."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def segmentation_loss(logits: Tensor, masks: Tensor, *, dice: bool) -> Tensor:
    """Mean binary cross entropy, plus the Dice loss where `dice` is wanted; a scalar in float32.

    logits, masks: (N, 1, h, w); masks are 0 or 1.
    """
    logits = logits.float()
    cross_entropy = F.binary_cross_entropy_with_logits(logits, masks)
    return cross_entropy + dice_loss(logits, masks) if dice else cross_entropy


def dice_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """1 - Dice of probabilities, over the whole batch (Milletari et al., 2016), smoothed by one
    pixel so that a batch without water has a gradient too."""
    probabilities = torch.sigmoid(logits)
    overlap = (probabilities * masks).sum()
    return 1.0 - (2.0 * overlap + 1.0) / (probabilities.sum() + masks.sum() + 1.0)
