from __future__ import annotations

import pytest

from runtime.errors import ModelError
from train.changes import CHANGEABLE, changed
from train.recipe import RECIPES


def test_ingredients_are_changed_one_by_one() -> None:
    recipe = changed(
        RECIPES["default"],
        ["average=none", "augment=flips", "dice=no", "growth=0:0.5,0.75:1", "dropout=0"],
    )
    assert (recipe.average, recipe.augment, recipe.dice, recipe.dropout) == (
        None,
        "flips",
        False,
        0.0,
    )
    assert recipe.growth == ((0.0, 0.5), (0.75, 1.0))
    assert recipe.rate == RECIPES["default"].rate
    assert recipe.steady == 0 and changed(recipe, ["steady=3"]).steady == 3
    assert changed(recipe, ["growth=none", "average=0.9"]).growth == ((0.0, 1.0),)


@pytest.mark.parametrize(
    "change",
    [
        "average",
        "average=1",
        "average=",
        "augment=more",
        "dice=maybe",
        "dropout=1",
        "growth=0.5:1",
        "growth=0:2",
        "growth=0:0.5:1",
        "growth=0:0.5,nan:1",
        "growth=0:nan",
        "growth=0:0.5,0.5:0.75,0.5:1",
        "growth=0:0.5,1:1",
        "average=nan",
        "dropout=nan",
        "encoder_rate=nan",
        "encoder_rate=inf",
        "encoder_rate=-1",
        "steady=-1",
        "steady=nan",
        "unfrozen_from=x",
        "unfrozen_from=-3",
        "unfrozen_from=38",
        "colour=blue",
        "=",
        "",
    ],
)
def test_a_wrong_change_says_what_is_wanted(change: str) -> None:
    with pytest.raises(ModelError, match=r"--change .*: wanted ") as told:
        changed(RECIPES["default"], [change])
    if change.partition("=")[0] not in CHANGEABLE:
        assert ", ".join(CHANGEABLE) in str(told.value)


@pytest.mark.parametrize("change", ["views=3", "scenes=3", "trust=0.5"])
def test_what_belongs_to_a_teacher_is_refused_without_one(change: str) -> None:
    with pytest.raises(ModelError, match=r"learns from a teacher; leave it out, or use .*distill"):
        changed(RECIPES["default"], [change])
    key, value = change.split("=")
    assert getattr(changed(RECIPES["distill"], [change]), key) == float(value)


@pytest.mark.parametrize("change", ["views=0", "views=nan", "views=9999999999", "trust=nan"])
def test_a_teacher_without_pictures_to_label_is_refused(change: str) -> None:
    with pytest.raises(ModelError, match=f"--change {change}: wanted "):
        changed(RECIPES["distill"], [change])
