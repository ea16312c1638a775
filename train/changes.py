"""Recipes with an ingredient changed, as `--change KEY=VALUE` says it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from runtime.errors import ModelError
from runtime.processing import INTERPOLATIONS
from train.recipe import ALL_FROZEN, Recipe


def changed(recipe: Recipe, changes: Sequence[str]) -> Recipe:
    """The recipe with some of its fields set anew.

    changes: KEY=VALUE; "none" switches an ingredient off. growth is written
    SHARE:SCALE,SHARE:SCALE. Raises ModelError.
    """
    for change in changes:
        key, _, text = change.partition("=")
        if key not in CHANGEABLE:
            raise ModelError(f"--change {change}: wanted KEY=VALUE; KEY is {', '.join(CHANGEABLE)}")
        recipe = dataclasses.replace(recipe, **{key: _parse(change, key, text)})
    return recipe


def _parse(change: str, key: str, text: str) -> object:
    parse, wanted = CHANGEABLE[key]
    try:
        return parse(text)
    except (ValueError, KeyError):
        raise ModelError(f"--change {change}: wanted {key}={wanted}") from None


def _growth(text: str) -> tuple[tuple[float, float], ...]:
    if text == "none":
        return ((0.0, 1.0),)
    pairs = tuple(tuple(float(part) for part in pair.split(":")) for pair in text.split(","))
    shares = [share for share, _ in pairs]
    if shares[0] != 0 or shares != sorted(shares) or not all(0 < s <= 1 for _, s in pairs):
        raise ValueError(text)
    return pairs


def _decay(text: str) -> float | None:
    return None if text == "none" else _share(text)


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1:
        raise ValueError(text)
    return value


def _part(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError(text)
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError(text)
    return value


AUGMENTATIONS = ("photographs", "crops", "flips", "views", "published")

CHANGEABLE: dict[str, tuple[Callable[[str], object], str]] = {
    "augment": ({name: name for name in AUGMENTATIONS}.__getitem__, " or ".join(AUGMENTATIONS)),
    "average": (_decay, "0.99, the decay of the weights' moving average, or none"),
    "dice": ({"yes": True, "no": False}.__getitem__, "yes or no"),
    "dropout": (_share, "0.25, a share from 0 to below 1"),
    "encoder_rate": (float, "0.1, a factor on the learning rate"),
    "growth": (_growth, "0:0.5,0.6:1 (from that share of the epochs at that scale), or none"),
    "resize": ({name: name for name in INTERPOLATIONS}.__getitem__, " or ".join(INTERPOLATIONS)),
    "scenes": (_count, "600, the number of generated scenes beside a teacher's views"),
    "trust": (_part, "0.5, how much of a label is the teacher's"),
    "views": (_count, "24, how many views of each picture a teacher labels"),
    "unfrozen_from": (int, f"0 to {ALL_FROZEN}, the first layer of the encoder that is trained"),
}
"""Ingredients that --change may change: how each is read, and what it looks like."""
