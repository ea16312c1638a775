"""Loss and scores of a network on pictures that it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from train.cache import Pictures
from train.compute import Compute
from train.loss import segmentation_loss
from train.metrics import COUNTS, Scores, count_pixels, score
from train.normalise import normalise
from train.parallel import gather, rank, ranks
from train.recipe import IMAGENET_MEAN, IMAGENET_STD

BATCH = 8


@dataclass(frozen=True, kw_only=True)
class Validation:
    """loss: mean over the pictures. scores: at threshold 0.5."""

    loss: float
    scores: Scores


def validate(model: nn.Module, pictures: Pictures, compute: Compute, dice: bool) -> Validation:
    """Scores a network at network size, each rank a share of the batches. Leaves it in eval mode.

    The loss is the mean over batches of at most 8 pictures, weighted by their size.
    """
    losses, counts = [0.0], [np.zeros((0, COUNTS), np.int64)]
    for start in range(rank() * BATCH, len(pictures), ranks() * BATCH):
        images = pictures.images[start : start + BATCH]
        masks = pictures.masks[start : start + BATCH]
        logits = predict(model, images, compute)
        true = torch.from_numpy(masks).to(logits.device, torch.float32).unsqueeze(1)
        losses.append(float(segmentation_loss(logits, true, dice=dice, shared=False)) * len(images))
        counts.append(count_pixels((logits[:, 0] > 0).cpu().numpy(), masks))
    shares = gather((sum(losses), np.concatenate(counts)))
    return Validation(
        loss=sum(loss for loss, _ in shares) / len(pictures),
        scores=score(np.concatenate([counted for _, counted in shares])),
    )


def predict(model: nn.Module, images: NDArray[np.uint8], compute: Compute) -> Tensor:
    """Logits (N, 1, h, w) float32 on the device, of (N, h, w, 3) uint8 RGB pictures."""
    model.eval()
    with torch.inference_mode(), compute.autocast():
        inputs = normalise(torch.from_numpy(images).to(compute.device), IMAGENET_MEAN, IMAGENET_STD)
        return model(inputs).float()
