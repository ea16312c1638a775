from __future__ import annotations

import pytest

from runtime.errors import DataError, ModelError
from train.models import build_model, find_kind
from train.settings import Settings, complete


def _complete(model: str, **changes: object) -> Settings:
    given = dict.fromkeys(("data", "pairs", "width", "size", "recipe", "epochs", "batch", "rate"))
    given |= {"encoder": "auto", "seed": 1, "patience": None}
    return complete(model=model, **{**given, **changes})


def test_an_unknown_network_is_named_with_the_known_ones() -> None:
    with pytest.raises(
        ModelError, match=r"'resnet'.* knows: vgg19unet, vgg19unet-bn, unet and smp:"
    ):
        build_model("resnet", 1.0)


def test_what_is_left_open_fits_the_network() -> None:
    assert _complete("unet").input_size == (96, 96)
    assert _complete("unet").width == 0.25
    pytest.importorskip("segmentation_models_pytorch")
    tried = _complete("smp:Segformer/mit_b0")
    assert (tried.input_size, tried.width) == ((96, 96), 1.0)


def test_sizes_that_a_network_cannot_take_name_the_nearest_it_can() -> None:
    with pytest.raises(
        DataError, match="size 80 is too small for this network; nearest: 96 or 112"
    ):
        _complete("unet", size="80x96")
    assert find_kind("vgg19unet").sizes.fitting(100) == 112
    pytest.importorskip("segmentation_models_pytorch")
    with pytest.raises(DataError, match="size 240 is no multiple of 32; nearest: 224 or 256"):
        _complete("smp:Segformer/mit_b0", size="240")
