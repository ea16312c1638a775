"""What a recipe makes of a run: its stages, and the scale of its pictures over the epochs."""

from __future__ import annotations

from dataclasses import dataclass

from train.recipe import ALL_FROZEN, Recipe


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One optimiser's life.

    unfrozen_from: index in `features` of the first layer that is trained. encoder_rate: factor on
    the learning rate of those layers. patience None: runs through. cosine: warm up over the first
    tenth, then down along a cosine; otherwise the rate stays. clip: longest gradient.
    """

    epochs: int
    rate: float
    unfrozen_from: int
    encoder_rate: float = 1.0
    weight_decay: float = 0.0
    cosine: bool = False
    clip: float | None = None
    patience: int | None = None
    min_epoch: int = 0


def stages(
    recipe: Recipe, *, epochs: int, rate: float, patience: int | None, pretrained: bool
) -> list[Stage]:
    """What is done in turn. An encoder that is not pretrained is always trained as a whole.

    article: Adam at 1e-4 beside a frozen encoder for 200 epochs, patience 20, at least 10; then
    at 1e-5 with the layers after features[33] for half as many, patience 10. The published code
    sets requires_grad on modules, which freezes nothing and unfreezes nothing; here the layers'
    parameters are meant.
    """
    if recipe.name != "article":
        return [
            Stage(
                epochs=epochs,
                rate=rate,
                unfrozen_from=recipe.unfrozen_from if pretrained else 0,
                encoder_rate=recipe.encoder_rate if pretrained else 1.0,
                weight_decay=1e-2,
                cosine=True,
                clip=1.0,
                patience=patience,
            )
        ]
    first = Stage(
        epochs=epochs,
        rate=rate,
        unfrozen_from=ALL_FROZEN if pretrained else 0,
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


def scale_at(recipe: Recipe, share: float) -> float:
    """The scale of the input size at which an epoch trains; share: of the epochs before it."""
    return [scale for start, scale in recipe.growth if start <= share][-1]
