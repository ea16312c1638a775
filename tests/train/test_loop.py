from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from train.batches import Batch, Batches
from train.cache import Pictures
from train.compute import Compute
from train.loop import Stepper
from train.loss import segmentation_loss
from train.model import VGG19UNet
from train.optimise import freeze, make_optimiser
from train.recipe import ALL_FROZEN, RECIPES, Stage, stages

CPU = Compute(device=torch.device("cpu"), half=None)


def _pictures(count: int = 6) -> Pictures:
    noise = np.random.default_rng(0)
    images = noise.integers(0, 256, (count, 48, 48, 3), np.uint8)
    return Pictures(
        images=images, masks=images[..., 0] > 127, names=tuple(f"p{n}" for n in range(count))
    )


def _batch() -> Batch:
    torch.manual_seed(0)
    masks = (torch.rand(2, 1, 32, 32) > 0.5).float()
    return Batch(images=torch.randn(2, 3, 32, 32), masks=masks, names=("a", "b"))


def _stepper(model: nn.Module, stage: Stage) -> Stepper:
    freeze(model, stage.unfrozen_from)
    optimiser, schedule = make_optimiser(model, stage, 4, decoupled=True)
    return Stepper(model, optimiser, schedule, CPU, dice=True, clip=stage.clip)


@pytest.mark.parametrize(("unfrozen_from", "moved"), [(0, 32), (34, 2), (ALL_FROZEN, 0)])
def test_only_unfrozen_layers_of_the_encoder_move(unfrozen_from: int, moved: int) -> None:
    torch.manual_seed(1)
    model = VGG19UNet(width=0.0625)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    _stepper(model, Stage(epochs=1, rate=1e-2, unfrozen_from=unfrozen_from)).step(_batch())
    changed = [n for n, t in model.state_dict().items() if not torch.equal(t, before[n])]
    assert sum(name.startswith("features.") for name in changed) == moved
    assert "layer1.weight" in changed


def test_a_frozen_encoder_builds_no_graph() -> None:
    model = VGG19UNet(width=0.03125)
    freeze(model, ALL_FROZEN)
    maps = model.encode(torch.randn(1, 3, 32, 32))
    assert not any(feature_map.requires_grad for feature_map in maps)
    freeze(model, 34)
    maps = model.encode(torch.randn(1, 3, 32, 32))
    assert [feature_map.requires_grad for feature_map in maps] == [False] * 4 + [True]


def test_a_loss_that_is_not_finite_moves_nothing() -> None:
    model = VGG19UNet(width=0.03125)
    stepper = _stepper(model, Stage(epochs=1, rate=1e-2, unfrozen_from=0))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    bad = dataclasses.replace(_batch(), images=torch.full((2, 3, 32, 32), float("nan")))
    assert not np.isfinite(stepper.step(bad))
    assert all(torch.equal(t, before[n]) for n, t in model.state_dict().items())


def test_the_loss_falls_with_the_error_and_dice_adds_to_it() -> None:
    masks = torch.tensor([[[[1.0, 0.0]]]])
    good, bad = torch.tensor([[[[4.0, -4.0]]]]), torch.tensor([[[[-4.0, 4.0]]]])
    assert segmentation_loss(good, masks, dice=True) < 0.05
    assert segmentation_loss(bad, masks, dice=False) > 3.9
    assert segmentation_loss(bad, masks, dice=True) > segmentation_loss(bad, masks, dice=False)


def test_the_articles_second_stage_unfreezes_the_last_convolution() -> None:
    first, second = stages(
        RECIPES["article"], epochs=200, rate=1e-4, patience=None, pretrained=True
    )
    assert (first.epochs, first.rate, first.patience, first.unfrozen_from) == (200, 1e-4, 20, 37)
    assert first.min_epoch > 0
    assert (second.epochs, second.patience, second.unfrozen_from) == (100, 10, 34)
    assert second.rate == pytest.approx(1e-5)


def test_batches_repeat_by_seed_and_epoch_whatever_the_threads() -> None:
    def images(seed: int, epoch: int, threads: int) -> torch.Tensor:
        made = Batches(_pictures(), RECIPES["default"], (32, 32), 4, seed, threads)
        return torch.cat([batch.images for batch in made.epoch(epoch)])

    one = images(1, 0, 1)
    assert one.shape == (6, 3, 32, 32)
    assert torch.equal(one, images(1, 0, 3))
    assert not torch.equal(one, images(1, 1, 1))
    assert not torch.equal(one, images(2, 0, 1))
