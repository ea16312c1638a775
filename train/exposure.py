"""The same picture taken again: what a camera changes in it although nothing has moved."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from train.recipe import IMAGENET_STD

GREY = 1.0 / (255.0 * sum(IMAGENET_STD) / len(IMAGENET_STD))
"""One grey level of 255 in normalised units."""
GRAIN, BLOTCH = 3.0, 2.0
"""Largest standard deviations in grey levels: of each pixel by itself, and of patches of pixels,
which is what a video codec leaves of noise."""
PATCH = 8
"""Pixels along the side of a patch."""
SOFT = 0.4
"""Largest share of a blurred picture: a codec keeps more detail in one frame than in the next."""


def exposed_again(images: Tensor) -> Tensor:
    """A second exposure of each picture: other noise, coarse and fine, and detail that is softened,
    each by a strength drawn for that picture from torch's generator.

    images: (N, 3, h, w) float32 normalised. Returns the same shape, dtype and memory format.
    """
    count, _, height, width = images.shape
    strength = torch.rand(3, count, 1, 1, 1, device=images.device)
    blurred = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="reflect"), 3, stride=1)
    patches = torch.randn(count, 3, -(-height // PATCH), -(-width // PATCH), device=images.device)
    blotches = F.interpolate(patches, (height, width), mode="bilinear", align_corners=False)
    noise = GRAIN * strength[0] * torch.randn_like(images) + BLOTCH * strength[1] * blotches
    soft = SOFT * strength[2]
    return (1.0 - soft) * images + soft * blurred + GREY * noise
