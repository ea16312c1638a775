"""What a run does to the weights: the published recipe and our own, as data."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.errors import ModelError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
ALL_FROZEN = 37
"""`features` has 37 layers: from this index on nothing is left to train."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One optimiser's life.

    unfrozen_from: index in `features` of the first layer that is trained. encoder_rate: factor on
    the learning rate of those layers. patience None: runs through. one_cycle: warm up over the
    first tenth, then down along a cosine; otherwise the rate stays. clip: longest gradient.
    """

    epochs: int
    rate: float
    unfrozen_from: int
    encoder_rate: float = 1.0
    weight_decay: float = 0.0
    one_cycle: bool = False
    clip: float | None = None
    patience: int | None = None
    min_epoch: int = 0


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a run is done.

    augment: what happens to training pictures, see train.augment. resize: the manifest's rule.
    dice: BCE + Dice instead of BCE alone. choose_by: what the best epoch is the best of, "loss" or
    "iou" on val. cache_scale: training pictures are kept at this multiple of the input size, so
    that random crops need no enlarging. he_init: weights that are not pretrained start as He et
    al. (2015) instead of PyTorch's defaults.
    """

    name: str
    augment: str
    resize: str
    batch: int
    epochs: int
    rate: float
    dice: bool
    choose_by: str
    cache_scale: float
    he_init: bool


RECIPES = {
    "default": Recipe(
        name="default",
        augment="photographs",
        resize="area",
        batch=8,
        epochs=40,
        rate=4e-4,
        dice=True,
        choose_by="iou",
        cache_scale=1.5,
        he_init=True,
    ),
    "scenes": Recipe(
        name="scenes",
        augment="flips",
        resize="area",
        batch=16,
        epochs=16,
        rate=3e-3,
        dice=True,
        choose_by="iou",
        cache_scale=1.0,
        he_init=True,
    ),
    "article": Recipe(
        name="article",
        augment="published",
        resize="linear",
        batch=16,
        epochs=200,
        rate=1e-4,
        dice=False,
        choose_by="loss",
        cache_scale=1.0,
        he_init=False,
    ),
}


def find_recipe(name: str) -> Recipe:
    """A recipe by its name. Raises ModelError."""
    if name not in RECIPES:
        raise ModelError(f"unknown recipe '{name}'; choose from: {', '.join(RECIPES)}")
    return RECIPES[name]


def stages(
    recipe: Recipe, *, epochs: int, rate: float, patience: int | None, pretrained: bool
) -> list[Stage]:
    """What is done in turn. An encoder that is not pretrained is always trained as a whole.

    article: Adam at 1e-4 beside a frozen encoder for 200 epochs, patience 20, at least 10; then
    at 1e-5 with the layers after features[33] for half as many, patience 10. The published code
    sets requires_grad on modules, which freezes nothing and unfreezes nothing; here the layers'
    parameters are meant.
    """
    frozen = ALL_FROZEN if pretrained else 0
    if recipe.name != "article":
        return [
            Stage(
                epochs=epochs,
                rate=rate,
                unfrozen_from=frozen,
                weight_decay=1e-2,
                one_cycle=True,
                clip=1.0,
                patience=patience,
            )
        ]
    first = Stage(
        epochs=epochs,
        rate=rate,
        unfrozen_from=frozen,
        patience=patience or 20,
        min_epoch=10,
    )
    second = Stage(
        epochs=max(1, epochs // 2),
        rate=rate / 10,
        unfrozen_from=34 if pretrained else 0,
        patience=patience or 10,
    )
    return [first, second]
