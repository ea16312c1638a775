"""What training and export have to know of a network beside its weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor, nn

from runtime.sizes import SizeRule


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of network, by the name that stands in a manifest.

    build: a network with fresh weights, from the width factor. imagenet: ImageNet's weights of its
    encoder under the encoder's own names, which fit width 1.0; None where there are none; raises
    OSError where they cannot be had now. scales: whether widths other than 1.0 can be built. start:
    how its fresh weights are drawn: by the "recipe", always as "he" et al. (2015) wrote, or as
    "built". sizes: which sides its input may have.
    """

    name: str
    build: Callable[[float], nn.Module]
    imagenet: Callable[[], dict[str, Tensor]] | None
    scales: bool = True
    start: str = "recipe"
    sizes: SizeRule = field(default_factory=SizeRule)


class Network(Protocol):
    """What `train.models.build_model` gives: an nn.Module that takes (N, 3, h, w) float pictures
    and gives (N, 1, h, w) logits. encoder: the part that can start pretrained, None where there is
    none."""

    kind: Kind
    width: float
    encoder: nn.Module | None


def encoder_layers(model: nn.Module) -> list[nn.Module]:
    """The encoder's layers in running order where it is VGG, else the whole encoder as one; empty
    where there is no encoder. model: bare, or wrapped for speed or for several GPUs."""
    encoder = _bare(model).encoder
    if encoder is None:
        return []
    layers = encoder.features if _is_vgg(encoder) else encoder
    return list(layers) if isinstance(layers, nn.Sequential) else [layers]


def _is_vgg(encoder: nn.Module) -> bool:
    """Whether it is one of smp's on torchvision's VGG."""
    if not hasattr(encoder, "features"):
        return False
    from torchvision.models import VGG  # seconds to import, and seldom needed

    return isinstance(encoder, VGG)


def encoder_parameters(model: nn.Module) -> Iterator[nn.Parameter]:
    """All parameters of the encoder; none where there is no encoder."""
    for layer in encoder_layers(model):
        yield from layer.parameters()


def _bare(model: nn.Module) -> nn.Module:
    for wrapped in ("_orig_mod", "module"):
        model = getattr(model, wrapped, model)
    return model
