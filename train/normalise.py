"""uint8 pictures -> what the network's first layer reads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def normalise(
    images: Tensor, mean: Sequence[float] | Tensor, std: Sequence[float] | Tensor
) -> Tensor:
    """(value / 255 - mean) / std.

    images: (N, h, w, 3) uint8 RGB. Returns (N, 3, h, w) float32, channels last in memory.
    """
    centre = torch.as_tensor(mean, device=images.device, dtype=torch.float32)
    spread = torch.as_tensor(std, device=images.device, dtype=torch.float32)
    return ((images.float() / 255.0 - centre) / spread).permute(0, 3, 1, 2)
