"""U-Net as it was published (Ronneberger, Fischer and Brox, 2015): unpadded, with cropping."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from train.model import scaled

CHANNELS = (64, 128, 256, 512, 1024)
"""Of the five levels, from full size down to a sixteenth."""
DROPOUT = 0.5
BORDER = 94
"""Pixels of mirrored surroundings on each side; see `UNet`."""
SURPLUS = 2
"""Pixels on each side that the unpadded arithmetic gives too many."""
CUTS = (4, 16, 40, 88)
"""Pixels that are cropped off each side of the skip connections, from the lowest level; see
`UNet`."""
SMALLEST = 96
"""Mirroring reads up to BORDER pixels beside the edge's own: a side needs more than that, and 96
is the first multiple of 16 that has them."""


class UNet(nn.Module):
    """Logits of water for normalised RGB pictures, from 23 unpadded convolutional layers.

    Input (N, 3, h, w) float, h and w multiples of 16 from 96; output (N, 1, h, w).

    Each level's two unpadded 3x3 convolutions cost 4 pixels. Where the lowest level gives b pixels,
    the way down from the input and the way up to the output are

        level            1          2         3         4        5
        read             16b+124    8b+60     4b+28     2b+12    b+4
        given down       16b+120    8b+56     4b+24     2b+8     b
        given up         16b-60     8b-28     4b-12     2b-4     b

    which is 572 -> 388 for b = 28, as published. A skip connection of level 4 is 2b+8 pixels wide
    where 2b come up, so 4 are cropped off each side; above it is 16, 40 and 88. A side of h pixels
    takes b = h/16 + 4: the network reads h + 188 and gives h + 4. So it mirrors 94 pixels on each
    side, the paper's extrapolation of the border, and cuts 2 off each side of the result. This
    fits every multiple of 16.

    The dropout at the end of the contracting path follows levels 4 and 5, as in the authors' own
    files; its rate is theirs too. Fresh weights are He's (2015), as the paper wants. width: factor
    on every layer's channels. There is no pretrained encoder for it.
    """

    encoder = None

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        channels = [scaled(level, width) for level in CHANNELS]
        self.width = width
        self.down = nn.ModuleList(two_convolutions(*pair) for pair in pairwise([3, *channels]))
        self.pool = nn.MaxPool2d(kernel_size=2)
        self.dropout = nn.Dropout(DROPOUT)
        upwards = list(pairwise(reversed(channels)))
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(*pair, kernel_size=2, stride=2) for pair in upwards
        )
        self.join = nn.ModuleList(two_convolutions(2 * give, give) for _, give in upwards)
        self.layer1 = nn.Conv2d(channels[0], 1, kernel_size=1)

    def forward(self, pictures: Tensor) -> Tensor:
        x = nn.functional.pad(pictures, (BORDER,) * 4, mode="reflect")
        *skips, x = self.contract(x)
        for up, join, cut in zip(self.up, self.join, CUTS, strict=True):
            x = join(torch.cat([cropped(skips.pop(), cut), up(x)], dim=1))
        return cropped(self.layer1(x), SURPLUS)

    def contract(self, x: Tensor) -> list[Tensor]:
        """What the five levels of the contracting path give, from the largest."""
        maps: list[Tensor] = []
        for level, layers in enumerate(self.down):
            x = layers(self.pool(x) if level else x)
            maps.append(x := self.dropout(x) if level >= 3 else x)
        return maps


def two_convolutions(channels_in: int, channels_out: int) -> nn.Sequential:
    """Two unpadded 3x3 convolutions, each with ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel_size=3),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels_out, channels_out, kernel_size=3),
        nn.ReLU(inplace=True),
    )


def cropped(x: Tensor, cut: int) -> Tensor:
    """A map without `cut` pixels on each of its sides."""
    return x[..., cut:-cut, cut:-cut]
