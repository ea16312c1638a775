"""How far PyTorch is from itself: differences below that say nothing about an artefact."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from export.parity import Parity, compare
from export.reference import reference_logits
from runtime.manifest import Manifest

COUNT = 4
"""Frames; the noise of rounding is much the same in all of them."""


def noise_floor(
    network: nn.Module,
    manifest: Manifest,
    inputs: NDArray[np.uint8],
    reference: NDArray[np.float32],
) -> dict[str, Parity]:
    """What was changed -> how much that alone moved the reference's own logits.

    inputs: (N, h, w, 3) uint8 RGB; reference: (N, 1, h, w), of the same frames.
    """
    few, known = inputs[:COUNT], reference[:COUNT]
    threads = torch.get_num_threads()
    others = 2 if threads == 1 else 1
    again = reference_logits(network, manifest, few)
    floor = {"a second run": compare(known, again, manifest.threshold)}
    torch.set_num_threads(others)
    try:
        changed = reference_logits(network, manifest, few)
    finally:
        torch.set_num_threads(threads)
    floor[f"threads {others} for {threads}"] = compare(known, changed, manifest.threshold)
    return floor
