"""What a run does to the weights: the published recipe and our own, as data."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.errors import ModelError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
ALL_FROZEN = 37
"""VGG-19's `features` has 37 layers: from this index on nothing of an encoder is trained."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a run is done.

    augment: what happens to training pictures, see train.augment. resize: the manifest's rule.
    dice: BCE + Dice instead of BCE alone. choose_by: what the best epoch is the best of, "loss" or
    "iou" on val. cache_scale: training pictures are kept at this multiple of the input size, so
    that random crops need no enlarging. he_init: weights that are not pretrained start as He et
    al. (2015) instead of PyTorch's defaults. growth: (share of the epochs, scale) pairs: from
    there on pictures are trained on at that scale of the input size. average: decay of the
    weights' moving average, which is what is scored and saved; None saves the weights themselves.
    unfrozen_from, encoder_rate: see train.plan.Stage; they hold for a pretrained encoder. views: of
    each picture that a teacher labels, scenes: generated ones beside them, trust: how much of a
    label is the teacher's and not the true mask's; see train.views. steady: weight of how far the
    probabilities of half of the pictures move under another exposure; see train.exposure. least:
    about how many pictures an epoch has at least; fewer to train on are shown several times each.
    """

    name: str
    augment: str
    resize: str
    batch: int
    epochs: int
    rate: float
    dropout: float
    dice: bool
    choose_by: str
    cache_scale: float
    he_init: bool
    growth: tuple[tuple[float, float], ...] = ((0.0, 1.0),)
    average: float | None = None
    unfrozen_from: int = ALL_FROZEN
    encoder_rate: float = 1.0
    views: int = 0
    scenes: int = 0
    trust: float = 0.0
    steady: float = 0.0
    least: int = 0

    def times(self, pictures: int) -> int:
        """How often an epoch shows each of so many pictures: as near to `least` as can be."""
        return max(1, round(self.least / pictures))


DISTILL = "distill"
"""The recipe of a network that learns from a teacher."""
DROPOUT = 0.25
"""Of whole channels after each block of the decoder, as published."""

RECIPES = {
    "default": Recipe(
        name="default",
        augment="photographs",
        resize="pyramid",
        batch=8,
        epochs=32,
        rate=4e-4,
        dropout=DROPOUT,
        dice=True,
        choose_by="iou",
        cache_scale=1.5,
        he_init=True,
        growth=((0.0, 0.5), (0.5, 0.625), (0.75, 0.8125)),
        average=0.99,
        unfrozen_from=4,
        encoder_rate=0.1,
        least=200,
    ),
    "scenes": Recipe(
        name="scenes",
        augment="flips",
        resize="pyramid",
        batch=16,
        epochs=16,
        rate=3e-3,
        dropout=DROPOUT,
        dice=True,
        choose_by="iou",
        cache_scale=1.0,
        he_init=True,
    ),
    DISTILL: Recipe(
        name=DISTILL,
        augment="views",
        resize="pyramid",
        batch=16,
        epochs=12,
        rate=2e-3,
        dropout=0.0,
        dice=True,
        choose_by="iou",
        cache_scale=1.0,
        he_init=True,
        growth=((0.0, 0.5), (0.5, 0.75)),
        average=0.998,
        unfrozen_from=0,
        views=24,
        scenes=600,
        trust=0.5,
    ),
    "article": Recipe(
        name="article",
        augment="published",
        resize="linear",
        batch=16,
        epochs=200,
        rate=1e-4,
        dropout=DROPOUT,
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
