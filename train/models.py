"""The networks that can be trained, by the name that stands in a manifest."""

from __future__ import annotations

from torch import nn

from runtime.errors import ModelError
from runtime.sizes import SizeRule
from train import smp, unet
from train.imagenet import vgg19_features_weights
from train.kind import Kind
from train.model import VGG19UNet
from train.unet import UNet

KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            name="vgg19unet",
            build=lambda width: VGG19UNet(num_classes=2, width=width),
            imagenet=vgg19_features_weights,
        ),
        Kind(
            name="vgg19unet-bn",
            build=lambda width: VGG19UNet(num_classes=2, width=width, batch_norm=True),
            imagenet=None,
        ),
        Kind(
            name="unet",
            build=UNet,
            imagenet=None,
            start="he",
            sizes=SizeRule(smallest=unet.SMALLEST),
        ),
    )
}
"""Our own networks; those of segmentation_models.pytorch are described on demand by train.smp."""


def find_kind(name: str) -> Kind:
    """What there is to know of a network. Raises ModelError for an unknown name, and for a network
    whose library is not installed."""
    if name in KINDS:
        return KINDS[name]
    if name.startswith(smp.PREFIX):
        return smp.find_kind(name)
    raise ModelError(
        f"unknown network '{name}'; this version knows: {', '.join(KINDS)} and "
        f"{smp.PREFIX}ARCHITECTURE/ENCODER; update the program or train anew"
    )


def build_model(name: str, width: float) -> nn.Module:
    """A network with fresh weights, in training mode, that fulfils train.kind.Network.

    Raises ModelError for an unknown name, and for a width or a pair of architecture and encoder
    that cannot be built. Never downloads anything.
    """
    kind = find_kind(name)
    if not kind.scales and width != 1.0:
        raise ModelError(f"{name} exists at width 1.0 only, not {width:g}; leave --width out")
    model = kind.build(width)
    model.kind, model.width = kind, width
    return model
