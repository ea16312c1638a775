"""The networks that can be trained, by the name that stands in a manifest."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from runtime.errors import ModelError
from train.model import VGG19UNet

MODELS: dict[str, Callable[[float], nn.Module]] = {
    "vgg19unet": lambda width: VGG19UNet(num_classes=2, width=width),
    "vgg19unet-bn": lambda width: VGG19UNet(num_classes=2, width=width, batch_norm=True),
}
"""Manifest name -> constructor that takes the width factor. All give (N, 1, h, w) logits."""


def build_model(name: str, width: float) -> nn.Module:
    """A network with fresh weights, in training mode. Raises ModelError for an unknown name."""
    constructor = MODELS.get(name)
    if constructor is None:
        raise ModelError(
            f"unknown network '{name}'; this version knows: {', '.join(MODELS)}; "
            "update the program or train anew"
        )
    return constructor(width)
