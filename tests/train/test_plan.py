from __future__ import annotations

import dataclasses

import pytest

from train.plan import scale_at, stages
from train.recipe import RECIPES


def test_the_articles_second_stage_unfreezes_the_last_convolution() -> None:
    first, second = stages(
        RECIPES["article"], epochs=200, rate=1e-4, patience=None, pretrained=True
    )
    assert (first.epochs, first.rate, first.patience, first.unfrozen_from) == (200, 1e-4, 20, 37)
    assert first.min_epoch > 0
    assert (second.epochs, second.patience, second.unfrozen_from) == (100, 10, 34)
    assert second.rate == pytest.approx(1e-5)


def test_a_scale_holds_from_its_share_of_the_epochs_on() -> None:
    recipe = dataclasses.replace(RECIPES["default"], growth=((0.0, 0.5), (0.5, 1.0)))
    assert [scale_at(recipe, share) for share in (0.0, 0.49, 0.5, 0.99)] == [0.5, 0.5, 1.0, 1.0]


def test_an_encoder_from_scratch_is_trained_as_a_whole() -> None:
    for name in ("default", "article"):
        plan = stages(RECIPES[name], epochs=4, rate=1e-3, patience=None, pretrained=False)
        assert {stage.unfrozen_from for stage in plan} == {0}
        assert {stage.encoder_rate for stage in plan} == {1.0}
