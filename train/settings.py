"""All settings of one run, as they are kept in config.json."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.errors import DataError, ModelError
from runtime.files import write_text
from runtime.sizes import parse_size
from runtime.strict_json import decode
from train.changes import changed
from train.dataset import SYNTHETIC
from train.models import find_kind
from train.recipe import DISTILL, find_recipe

CONFIG = "config.json"
MAX_WIDTH = 4.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One run. `data` and `pairs` are as the user gave them; input_size is (height, width) in
    pixels; patience None means what the recipe says; rate is the peak learning rate; change:
    KEY=VALUE ingredients of the recipe that are not as it says; split_seed: of the automatic split,
    None for `seed`; for the recipe "distill", teacher: the artefact that labels the pictures, also:
    a folder of further pictures with masks, dry: one of pictures without water."""

    data: str
    pairs: str | None
    model: str
    width: float
    input_size: tuple[int, int]
    recipe: str
    encoder: str
    epochs: int
    batch: int
    rate: float
    patience: int | None
    seed: int
    change: tuple[str, ...] = ()
    precision: str = "auto"
    compile: bool = False
    deterministic: bool = False
    split_seed: int | None = None
    teacher: str | None = None
    also: str | None = None
    dry: str | None = None


TRY_OUT = {"model": "vgg19unet-bn", "recipe": "scenes", "width": 0.25, "size": "80"}
FULL = {"model": "vgg19unet", "recipe": "default", "width": 1.0, "size": "224"}
"""What the user left open: generated scenes are for trying out, from scratch and in minutes."""


def complete(
    *,
    data: str | None,
    pairs: Path | None,
    model: str | None,
    width: float | None,
    size: str | None,
    recipe: str | None,
    epochs: int | None,
    batch: int | None,
    rate: float | None,
    change: Sequence[str] = (),
    **given: Any,
) -> Settings:
    """Settings with everything filled in that the user left open, by data and recipe.

    Raises DataError for a wrong size or width, ModelError for an unknown network or recipe.
    """
    data = SYNTHETIC if data is None else data
    if (recipe == DISTILL) != (given.get("teacher") is not None):
        raise ModelError(
            f"recipe {recipe} came; a teacher and the recipe {DISTILL} belong together: "
            "python -m train.distill --teacher RUN"
        )
    usual = TRY_OUT if data == SYNTHETIC else FULL
    recipe = str(usual["recipe"]) if recipe is None else recipe
    known = changed(find_recipe(recipe), change)
    model = str(usual["model"]) if model is None else model
    kind = find_kind(model)
    if width is None:
        width = float(usual["width"]) if kind.scales else 1.0
    if not 0 < width <= MAX_WIDTH:
        raise DataError(f"width {width:g} came; wanted more than 0 and at most {MAX_WIDTH:g}")
    return Settings(
        data=data,
        pairs=None if pairs is None else str(pairs),
        model=model,
        width=width,
        input_size=kind.sizes.checked(
            parse_size(size or str(kind.sizes.fitting(int(usual["size"]))))
        ),
        recipe=recipe,
        epochs=epochs or known.epochs,
        batch=batch or known.batch,
        rate=rate or known.rate,
        change=tuple(change),
        **given,
    )


def write_settings(settings: Settings, folder: Path) -> None:
    """Writes config.json into the run's folder. Raises SinkError."""
    write_text(folder / CONFIG, json.dumps(dataclasses.asdict(settings), indent=2) + "\n")


def read_settings(folder: Path) -> Settings:
    """Reads the config.json of a run. Raises DataError."""
    path = folder / CONFIG
    try:
        return decode(Settings, json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise DataError(f"{folder} is no run of 'python -m train': it has no {CONFIG}") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is damaged ({error}); train anew") from error
