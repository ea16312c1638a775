"""VGG19UNet: a VGG-19 encoder (Simonyan and Zisserman, 2015) with a U-Net decoder."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

VGG19_CHANNELS = (
    64,
    64,
    0,
    128,
    128,
    0,
    256,
    256,
    256,
    256,
    0,
    512,
    512,
    512,
    512,
    0,
    512,
    512,
    512,
    512,
    0,
)
"""Output channels of VGG-19's 3x3 convolutions in order; 0 stands for a 2x2 max pooling."""

DROPOUT = 0.25


def scaled(channels: int, width: float) -> int:
    """Channels of a layer at a width factor, at least 1."""
    return max(1, round(channels * width))


def convolution(channels_in: int, channels_out: int, batch_norm: bool) -> list[nn.Module]:
    """A 3x3 convolution that keeps the size, batch normalisation if wanted, and ReLU."""
    norm = [nn.BatchNorm2d(channels_out)] if batch_norm else []
    return [
        nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1),
        *norm,
        nn.ReLU(inplace=True),
    ]


def vgg19_features(width: float = 1.0, batch_norm: bool = False) -> nn.Sequential:
    """The layers of torchvision.models.vgg19().features (with batch_norm: of vgg19_bn), with all
    channels scaled by `width`."""
    layers: list[nn.Module] = []
    previous = 3
    for channels in VGG19_CHANNELS:
        if channels == 0:
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
        else:
            layers += convolution(previous, scaled(channels, width), batch_norm)
            previous = scaled(channels, width)
    return nn.Sequential(*layers)


def decoder_block(channels_in: int, channels_out: int, batch_norm: bool) -> nn.Sequential:
    """Two 3x3 convolutions with ReLU, then dropout of whole channels."""
    return nn.Sequential(
        *convolution(channels_in, channels_out, batch_norm),
        *convolution(channels_out, channels_out, batch_norm),
        nn.Dropout2d(DROPOUT),
    )


class VGG19UNet(nn.Module):
    """Logits of water for normalised RGB pictures.

    num_classes: 2 means one output channel (a logit of the second class), more means that many.
    width: factor on every layer's channels; pretrained encoders only fit 1.0.
    batch_norm: not in the published network; lets narrow ones be trained from scratch.
    Input (N, 3, h, w) float, h and w multiples of 16; output (N, channels, h, w).
    """

    def __init__(self, num_classes: int = 2, width: float = 1.0, batch_norm: bool = False) -> None:
        super().__init__()
        c1, c2, c3, c4, c5 = (scaled(channels, width) for channels in (64, 128, 256, 512, 512))
        self.width = width
        self.batch_norm = batch_norm
        self.features = vgg19_features(width, batch_norm)
        self.up_sample_54 = nn.ConvTranspose2d(c5, c4, kernel_size=2, stride=2)
        self.layer5 = decoder_block(2 * c4, c4, batch_norm)
        self.up_sample_43 = nn.ConvTranspose2d(c4, c3, kernel_size=2, stride=2)
        self.layer4 = decoder_block(2 * c3, c3, batch_norm)
        self.up_sample_32 = nn.ConvTranspose2d(c3, c2, kernel_size=2, stride=2)
        self.layer3 = decoder_block(2 * c2, c2, batch_norm)
        self.up_sample_21 = nn.ConvTranspose2d(c2, c1, kernel_size=2, stride=2)
        self.layer2 = decoder_block(2 * c1, c1, batch_norm)
        channels_out = 1 if num_classes == 2 else num_classes
        self.layer1 = nn.Conv2d(c1, channels_out, kernel_size=3, padding=1)

    @property
    def encoder(self) -> nn.Sequential:
        """The part that can start from ImageNet."""
        return self.features

    def forward(self, pictures: Tensor) -> Tensor:
        return self.decode(self.encode(pictures))

    def encode(self, pictures: Tensor) -> list[Tensor]:
        """The five feature maps that the decoder reads, at full to 1/16 resolution.

        The encoder is cut before each pooling: features[:4], [4:9], [9:18], [18:27], [27:-1].
        """
        maps: list[Tensor] = []
        pools = [i for i, layer in enumerate(self.features) if isinstance(layer, nn.MaxPool2d)]
        for start, stop in pairwise([0, *pools]):
            pictures = self.features[start:stop](pictures)
            maps.append(pictures)
        return maps

    def decode(self, maps: list[Tensor]) -> Tensor:
        """Logits from the encoder's five maps."""
        x1, x2, x3, x4, x5 = maps
        x = self.layer5(torch.cat([self.up_sample_54(x5), x4], dim=1))
        x = self.layer4(torch.cat([self.up_sample_43(x), x3], dim=1))
        x = self.layer3(torch.cat([self.up_sample_32(x), x2], dim=1))
        x = self.layer2(torch.cat([self.up_sample_21(x), x1], dim=1))
        return self.layer1(x)
