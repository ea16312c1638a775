"""Recipes with an ingredient changed, as `--change KEY=VALUE` says it."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from runtime.errors import ModelError
from runtime.processing import INTERPOLATIONS
from train.recipe import ALL_FROZEN, DISTILL, Recipe

LARGEST_FACTOR = 1000.0
MOST = 1_000_000
"""Of what is counted; a slip of the keyboard would only fill the memory."""

T = TypeVar("T", int, float)


def changed(recipe: Recipe, changes: Sequence[str]) -> Recipe:
    """The recipe with some of its fields set anew.

    changes: KEY=VALUE; "none" switches an ingredient off. growth is written
    SHARE:SCALE,SHARE:SCALE. Raises ModelError.
    """
    for change in changes:
        key, _, text = change.partition("=")
        if key not in CHANGEABLE:
            raise ModelError(f"--change {change}: wanted KEY=VALUE; KEY is {', '.join(CHANGEABLE)}")
        if key in TAUGHT and recipe.name != DISTILL:
            raise ModelError(
                f"--change {change}: {key} belongs to a network that learns from a teacher; "
                "leave it out, or use python -m train.distill --teacher RUN"
            )
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
    shares, scales = zip(*pairs, strict=True)
    rising = shares[0] == 0 and all(a < b for a, b in itertools.pairwise((*shares, 1.0)))
    if not rising or not all(0 < scale <= 1 for scale in scales):
        raise ValueError(text)
    return pairs


def _decay(text: str) -> float | None:
    return None if text == "none" else _share(text)


def _share(text: str) -> float:
    return _checked(float(text), 0, math.nextafter(1, 0))


def _part(text: str) -> float:
    return _checked(float(text), 0, 1)


def _factor(text: str) -> float:
    return _checked(float(text), 0, LARGEST_FACTOR)


def _checked(value: T, low: float, high: float) -> T:
    if not low <= value <= high:  # a NaN lies nowhere
        raise ValueError(value)
    return value


AUGMENTATIONS = ("photographs", "crops", "flips", "views", "published")

CHANGEABLE: dict[str, tuple[Callable[[str], object], str]] = {
    "augment": ({name: name for name in AUGMENTATIONS}.__getitem__, " or ".join(AUGMENTATIONS)),
    "average": (_decay, "0.99, the decay of the weights' moving average, or none"),
    "dice": ({"yes": True, "no": False}.__getitem__, "yes or no"),
    "dropout": (_share, "0.25, a share from 0 to below 1"),
    "encoder_rate": (_factor, "0.1, a factor on the learning rate, 0 to 1000"),
    "growth": (_growth, "0:0.5,0.6:1 (from that share of the epochs at that scale), or none"),
    "least": (
        lambda text: _checked(int(text), 0, MOST),
        "200, about how many pictures an epoch has at least; fewer are shown several times",
    ),
    "resize": ({name: name for name in INTERPOLATIONS}.__getitem__, " or ".join(INTERPOLATIONS)),
    "scenes": (
        lambda text: _checked(int(text), 0, MOST),
        "600, the number of generated scenes beside a teacher's views",
    ),
    "steady": (_factor, "3, the weight of what a sensor's noise changes, 0 to 1000"),
    "trust": (_part, "0.5, how much of a label is the teacher's"),
    "views": (lambda text: _checked(int(text), 1, MOST), "24, how many views of each picture"),
    "unfrozen_from": (
        lambda text: _checked(int(text), 0, ALL_FROZEN),
        f"0 to {ALL_FROZEN}, the first layer of the encoder that is trained",
    ),
}
"""Ingredients that --change may change: how each is read, and what it looks like."""
TAUGHT = ("scenes", "trust", "views")
"""Those that nothing but a network which learns from a teacher has."""
