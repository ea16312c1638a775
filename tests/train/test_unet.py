from __future__ import annotations

import pytest
import torch
from torch import nn

from runtime.errors import ModelError
from train.encoder import prepare_encoder
from train.kind import encoder_layers, encoder_parameters
from train.models import build_model, find_kind
from train.unet import BORDER, CUTS, SMALLEST, SURPLUS, UNet, cropped

WIDTH = 0.03125


@pytest.mark.parametrize("size", [(96, 96), (96, 112), (128, 160), (224, 320)])
def test_logits_have_the_size_of_the_picture(size: tuple[int, int]) -> None:
    with torch.no_grad():
        assert UNet(WIDTH).eval()(torch.zeros(2, 3, *size)).shape == (2, 1, *size)


def test_the_unpadded_arithmetic_is_the_published_one() -> None:
    network = UNet(WIDTH).eval()
    with torch.no_grad():
        maps = network.contract(torch.zeros(1, 3, 572, 572))
        assert [side.shape[-1] for side in maps] == [568, 280, 136, 64, 28]
        *skips, x = maps
        for up, join, cut in zip(network.up, network.join, CUTS, strict=True):
            x = up(x)
            skip = cropped(skips.pop(), cut)
            assert skip.shape == x.shape
            x = join(torch.cat([skip, x], dim=1))
    assert x.shape[-1] == 388
    assert 388 - 2 * SURPLUS == 572 - 2 * BORDER  # what is read, less its border, is what is given


def test_it_has_the_published_layers_and_parameters() -> None:
    network = UNet()
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    assert len(layers) == 23
    assert all(layer.padding == (0, 0) for layer in layers)
    # As published, 31 030 658 with one channel in and two out; here three in and one out.
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == 31_030_658 + 2 * 64 * 9 - 65


def test_a_border_is_read_as_its_mirror_image() -> None:
    torch.manual_seed(0)
    network = UNet(WIDTH).eval()
    picture = torch.rand(1, 3, 96, 112)
    inner = nn.functional.pad(picture, (16, 16, 16, 16), mode="reflect")
    with torch.no_grad():
        whole, wider = network(picture), network(inner)
    # 16 more mirrored pixels given as a picture do not change what is seen in the middle.
    torch.testing.assert_close(wider[..., 64:-64, 64:-64], whole[..., 48:-48, 48:-48])


def test_dropout_ends_the_contracting_path_only_while_training() -> None:
    torch.manual_seed(0)
    network = UNet(WIDTH)
    picture, read = torch.rand(1, 3, 96, 96), torch.rand(1, 3, 284, 284)
    with torch.no_grad():
        first, second = network.contract(read), network.contract(read)
        same = [torch.equal(*pair) for pair in zip(first, second, strict=True)]
        assert same == [True, True, True, False, False]
        assert torch.equal(network.eval()(picture), network(picture))


def test_mirroring_needs_ninety_six_pixels() -> None:
    kind = find_kind("unet")
    assert [kind.sizes.fitting(side) for side in (80, 96, 100)] == [96, SMALLEST, 112]
    with pytest.raises(RuntimeError, match="Padding size should be less"):
        UNet(WIDTH)(torch.zeros(1, 3, SMALLEST - 16, SMALLEST))


def test_it_starts_as_the_paper_wants_and_has_no_pretrained_encoder() -> None:
    torch.manual_seed(0)
    network = build_model("unet", 0.25)
    assert not prepare_encoder(network, "auto", he_init=False)
    weight = network.down[3][2].weight
    assert weight.std().item() == pytest.approx((2 / weight[0].numel()) ** 0.5, rel=0.02)
    assert network.down[0][0].bias.abs().max() == 0
    assert encoder_layers(network) == list(encoder_parameters(network)) == []
    with pytest.raises(ModelError, match="no ImageNet weights for unet; choose --encoder none"):
        prepare_encoder(network, "imagenet", he_init=False)
