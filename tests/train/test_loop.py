from __future__ import annotations

import dataclasses
import math
import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.progress import Progress
from torch import nn

from runtime.errors import ModelError
from train.batches import Batch, Batches
from train.cache import Pictures
from train.compute import Compute
from train.epoch import Epoch, Interrupted
from train.exposure import exposed_again
from train.loop import Trainer
from train.loss import segmentation_loss, unsteadiness
from train.materials import Materials
from train.model import VGG19UNet
from train.models import build_model, find_kind
from train.optimise import freeze, make_optimiser
from train.plan import Stage, scale_at
from train.recipe import ALL_FROZEN, RECIPES, Recipe
from train.state import read_state, write_state
from train.step import Stepper, check_loss, check_validation

CPU = Compute(device=torch.device("cpu"), half=None)
QUIET = Progress(disable=True)
KIND = find_kind("vgg19unet")


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


def _growing() -> Recipe:
    growth = ((0.0, 0.5), (0.5, 1.0))
    return dataclasses.replace(RECIPES["default"], growth=growth, unfrozen_from=0, steady=0.5)


def _trainer(recipe: Recipe, reported: list[Epoch]) -> tuple[nn.Module, Trainer]:
    torch.manual_seed(3)
    model = build_model("vgg19unet-bn", 0.03125)
    batches = Batches(_pictures(), recipe, (32, 32), 2, seed=5, kind=KIND, threads=1)
    materials = Materials(recipe=recipe, compute=CPU, batches=batches, val=_val(), seed=5)
    plan = [
        Stage(epochs=2, rate=1e-3, unfrozen_from=10, patience=1, cosine=True),
        Stage(epochs=2, rate=1e-3, unfrozen_from=0, clip=1.0),
    ]
    return model, Trainer(model, plan, materials, reported.append)


def _val() -> Pictures:
    pictures = _pictures()
    return Pictures(
        images=pictures.images[:, :32, :32], masks=pictures.masks[:, :32, :32], names=pictures.names
    )


@pytest.mark.parametrize("interrupted_after", [0, 1, 3, 5, 7, 11])
def test_a_trainer_goes_on_from_any_step_bit_for_bit(
    tmp_path: Path, interrupted_after: int
) -> None:
    """Four epochs of three steps in two stages; batch norm, dropout, averages, growth and second
    exposures in it."""
    whole: list[Epoch] = []
    model, trainer = _trainer(_growing(), whole)
    trainer.run(QUIET, lambda: False, lambda: None)
    wanted = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    parts: list[Epoch] = []
    _, trainer = _trainer(_growing(), parts)
    steps = iter(range(1, 1000))

    def save() -> None:
        write_state(tmp_path / "state.safetensors", trainer.state())

    if interrupted_after == 0:
        save()
    else:
        with pytest.raises(Interrupted):
            trainer.run(QUIET, lambda: next(steps) == interrupted_after, save)
    model, trainer = _trainer(_growing(), parts)
    trainer.resume(read_state(tmp_path / "state.safetensors"))
    trainer.run(QUIET, lambda: False, lambda: None)
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in model.state_dict().items())
    assert [epoch.number for epoch in parts] == [epoch.number for epoch in whole]
    assert [epoch.validation for epoch in parts] == [epoch.validation for epoch in whole]
    assert [epoch.train_loss for epoch in parts] == [epoch.train_loss for epoch in whole]


def test_pictures_grow_when_the_recipe_says_so() -> None:
    recipe = _growing()
    assert [scale_at(recipe, share) for share in (0.0, 0.49, 0.5, 0.99)] == [0.5, 0.5, 1.0, 1.0]
    batches = Batches(_pictures(), recipe, (32, 64), 4, seed=0, kind=KIND, threads=1)
    assert next(batches.epoch(1, scale=0.5)).images.shape == (3, 3, 16, 32)
    assert [batch.images.shape[0] for batch in batches.epoch(1)] == [3, 3], "as equal as can be"
    assert [batch.images.shape[0] for batch in batches.epoch(1, first=1)] == [3]


def test_an_epoch_shows_no_more_of_any_part_than_of_the_first() -> None:
    shapes = (15, 48, 64)
    pictures = Pictures(
        images=np.zeros((*shapes, 3), np.uint8),
        masks=np.zeros(shapes, bool),
        names=("own",) * 3 + ("also",) * 2 + tuple(f"dry{number}" for number in range(10)),
    )
    made = Batches(pictures, RECIPES["default"], (32, 32), 4, 0, KIND, parts=(3, 2, 10))
    assert len(made) == 2
    seen: set[str] = set()
    for epoch in range(12):
        names = [name for batch in made.epoch(epoch) for name in batch.names]
        dry = {name for name in names if name.startswith("dry")}
        assert (len(names), names.count("own"), names.count("also"), len(dry)) == (8, 3, 2, 3)
        seen |= dry
    assert len(seen) == 10  # every epoch chooses anew


def test_an_epoch_shows_few_pictures_several_times_never_alike() -> None:
    recipe = dataclasses.replace(RECIPES["default"], least=20)
    assert [recipe.times(number) for number in (1, 6, 13, 14, 20, 900)] == [20, 3, 2, 1, 1, 1]
    assert RECIPES["default"].times(204) == 1, "Flood Area's"
    made = Batches(_pictures(), recipe, (32, 32), 4, 5, KIND, times=3)
    once = Batches(_pictures(), recipe, (32, 32), 4, 5, KIND)
    assert (len(once), len(made)) == (2, 5)
    seen: dict[str, list[bytes]] = {}
    for epoch in (1, 2):
        for batch in made.epoch(epoch):
            for name, image in zip(batch.names, batch.images, strict=True):
                seen.setdefault(name, []).append(image.numpy().tobytes())
    assert sorted(seen) == sorted(_pictures().names)
    assert {len(images) for images in seen.values()} == {6}
    assert all(len(set(images)) == 6 for images in seen.values())


def test_parts_keep_their_share_of_an_epoch_that_shows_few_pictures_several_times() -> None:
    pictures = Pictures(
        images=np.zeros((15, 48, 64, 3), np.uint8),
        masks=np.zeros((15, 48, 64), bool),
        names=("own",) * 3 + ("also",) * 2 + ("dry",) * 10,
    )
    made = Batches(pictures, RECIPES["default"], (32, 32), 4, 0, KIND, parts=(3, 2, 10), times=4)
    names = [name for batch in made.epoch(1) for name in batch.names]
    assert [names.count(part) for part in ("own", "also", "dry")] == [12, 8, 12]


@pytest.mark.parametrize("loss", [math.nan, math.inf, 1e6])
def test_a_loss_that_explodes_names_the_step_the_pictures_and_what_to_try(loss: float) -> None:
    check_loss(1.5, 1, 1, ("a",))
    with pytest.raises(ModelError, match=r"in epoch 3, step 4 \(pictures a, b\).*smaller --rate"):
        check_loss(loss, 3, 4, ("a", "b"))
    with pytest.raises(ModelError) as told:
        check_loss(loss, 1, 4, ("a", "b"))
    assert "kept" not in str(told.value), "before the first epoch has ended nothing is"


def test_weights_that_the_last_steps_of_an_epoch_spoilt_end_the_run() -> None:
    """No step follows that would show it."""
    reported: list[Epoch] = []
    model, trainer = _trainer(_growing(), reported)
    with torch.no_grad():
        next(model.parameters()).fill_(float("nan"))
    check_validation(0.7, 2)
    with pytest.raises(ModelError, match="the loss on val became nan in epoch 2; the weights of"):
        check_validation(math.nan, 2)
    with pytest.raises(ModelError, match=r"the loss .*became nan in epoch 1.*smaller --rate"):
        trainer.run(QUIET, lambda: False, lambda: None)
    assert not reported


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


def test_unsteadiness_is_how_far_probabilities_move() -> None:
    logits = torch.tensor([[[[0.0, 2.0]]], [[[-3.0, 40.0]]]])
    assert unsteadiness(logits, logits) == 0
    assert unsteadiness(logits, -logits) == unsteadiness(-logits, logits)
    moved = torch.tensor([[[[math.log(3.0), 2.0]]], [[[-3.0, 40.0]]]])
    assert math.isclose(unsteadiness(logits, moved), 0.25 / 4, rel_tol=1e-5)


def test_a_network_is_trained_to_see_the_same_in_a_second_exposure() -> None:
    """From the same starts on the same pictures, with much weight on it and with none."""

    def moves_in_the_end(steady: float, seed: int) -> float:
        torch.manual_seed(seed)
        model = build_model("vgg19unet-bn", 0.0625)
        stage = Stage(epochs=1, rate=3e-3, unfrozen_from=0)
        optimiser, schedule = make_optimiser(model, stage, 40, decoupled=True)
        stepper = Stepper(model, optimiser, schedule, CPU, dice=True, clip=1.0, steady=steady)
        batch = _batch()
        for _ in range(20):
            stepper.step(batch)
        model.eval()
        with torch.no_grad():
            torch.manual_seed(1)
            again = [model(exposed_again(batch.images)) for _ in range(8)]
            return float(np.mean([unsteadiness(model(batch.images), one) for one in again]))

    moved = {steady: sum(moves_in_the_end(steady, seed) for seed in range(3)) for steady in (20, 0)}
    assert moved[20] < 0.7 * moved[0]


def test_batches_repeat_by_seed_and_epoch_whoever_prepares_them() -> None:
    def images(seed: int, epoch: int, threads: int, processes: int = 0) -> torch.Tensor:
        made = Batches(_pictures(), RECIPES["default"], (32, 32), 4, seed, KIND, threads, processes)
        return torch.cat([batch.images for batch in made.epoch(epoch)])

    one = images(1, 0, 1)
    assert one.shape == (6, 3, 32, 32)
    assert torch.equal(one, images(1, 0, 3))
    assert torch.equal(one, images(1, 0, 0, processes=2))
    assert not torch.equal(one, images(1, 1, 1))
    assert not torch.equal(one, images(2, 0, 1))


def test_processes_stay_from_epoch_to_epoch_and_survive_one_that_was_left_early() -> None:
    made = Batches(_pictures(), RECIPES["default"], (32, 32), 2, 1, KIND, processes=2)
    wanted = Batches(_pictures(), RECIPES["default"], (32, 32), 2, 1, KIND)
    next(iter(made.epoch(0)))
    makers = set(multiprocessing.active_children())
    got = [batch for epoch in (1, 2) for batch in made.epoch(epoch)]
    assert len(makers) == 2 and set(multiprocessing.active_children()) == makers
    for one, other in zip(got, [*wanted.epoch(1), *wanted.epoch(2)], strict=True):
        assert torch.equal(one.images, other.images) and torch.equal(one.masks, other.masks)
        assert one.names == other.names
        assert one.images.is_contiguous(memory_format=torch.channels_last)
