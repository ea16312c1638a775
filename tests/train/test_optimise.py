from __future__ import annotations

import pytest
import torch
from torch import nn

from train.model import VGG19UNet
from train.models import build_model
from train.optimise import freeze, moving_average, rate_factor, set_dropout
from train.recipe import ALL_FROZEN


def test_a_frozen_encoder_builds_no_graph() -> None:
    model = VGG19UNet(width=0.03125)
    freeze(model, ALL_FROZEN)
    maps = model.encode(torch.randn(1, 3, 32, 32))
    assert not any(feature_map.requires_grad for feature_map in maps)
    freeze(model, 34)
    maps = model.encode(torch.randn(1, 3, 32, 32))
    assert [feature_map.requires_grad for feature_map in maps] == [False] * 4 + [True]


def test_dropout_can_be_set_and_switched_off() -> None:
    model = build_model("vgg19unet-bn", 0.0625)
    pictures = torch.randn(2, 3, 32, 32)
    assert not torch.equal(model(pictures), model(pictures))
    set_dropout(model, 0.0)
    assert torch.equal(model(pictures), model(pictures))


def test_the_rate_rises_over_a_tenth_and_falls_to_nearly_nothing() -> None:
    rates = [rate_factor(step, 100) for step in range(101)]
    assert rates[0] < 0.1 < 0.9 < rates[9]
    assert rates.index(max(rates)) == 10
    assert max(rates) == 1.0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.01)


def test_the_moving_average_starts_with_the_weights_and_follows_slowly() -> None:
    model = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        model.weight.fill_(1.0)
        average = moving_average(model, 0.9)
        average.update_parameters(model)
        assert average.module.weight.item() == 1.0
        model.weight.fill_(2.0)
        followed = []
        for _ in range(100):
            average.update_parameters(model)
            followed.append(average.module.weight.item())
    assert followed[0] == pytest.approx(1.0 + (1 - 2 / 11)), "it forgets its start quickly"
    assert followed[-1] == pytest.approx(2.0)
