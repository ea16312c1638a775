"""All settings of one run, as they are kept in config.json."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.errors import DataError, ManifestError, ModelError
from runtime.files import write_text
from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest
from runtime.sizes import parse_size
from runtime.strict_json import decode
from train.changes import changed
from train.dataset import SYNTHETIC
from train.encoder import CHOICES, SHIPPED, SHIPS
from train.models import find_kind
from train.recipe import DISTILL, find_recipe

CONFIG = "config.json"
MAX_WIDTH = 4.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One run. `data` and `pairs` are as the user gave them; input_size is (height, width) in
    pixels; patience None means what the recipe says; rate is the peak learning rate; change:
    KEY=VALUE ingredients of the recipe that are not as it says; split_seed: of the automatic split,
    None for `seed`; also: a folder of further pictures with masks, dry: one of pictures without
    water; teacher: for the recipe "distill", the artefact that labels the pictures."""

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


@dataclass(frozen=True, kw_only=True)
class _Usual:
    """What a network is where the user left it open."""

    model: str
    width: float
    size: tuple[int, int]


TRY_OUT = _Usual(model="vgg19unet-bn", width=0.25, size=(80, 80))
FULL = _Usual(model="vgg19unet", width=1.0, size=(224, 224))
"""Generated scenes are for trying out, from scratch and in minutes."""


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
    encoder: str,
    also: Path | None = None,
    dry: Path | None = None,
    **given: Any,
) -> Settings:
    """Settings with everything filled in that the user left open: by the checkpoint that is trained
    further, else by data and recipe.

    Raises DataError for a wrong size or width, ModelError for an unknown network or recipe.
    """
    data = SYNTHETIC if data is None else data
    if (recipe == DISTILL) != (given.get("teacher") is not None):
        raise ModelError(
            f"recipe {recipe} came; a teacher and the recipe {DISTILL} belong together: "
            "python -m train.distill --teacher RUN"
        )
    scenes = data == SYNTHETIC
    recipe = ("scenes" if scenes else "default") if recipe is None else recipe
    known = changed(find_recipe(recipe), change)
    encoder = str(SHIPPED) if encoder == SHIPS else encoder
    model, width, input_size = _network(TRY_OUT if scenes else FULL, encoder, model, width, size)
    return Settings(
        data=data,
        pairs=None if pairs is None else str(pairs),
        also=None if also is None else str(also),
        dry=None if dry is None else str(dry),
        model=model,
        width=width,
        input_size=input_size,
        recipe=recipe,
        encoder=encoder,
        epochs=epochs or known.epochs,
        batch=batch or known.batch,
        rate=rate or known.rate,
        change=tuple(change),
        **given,
    )


def _network(
    usual: _Usual, encoder: str, model: str | None, width: float | None, size: str | None
) -> tuple[str, float, tuple[int, int]]:
    """Its name, width and input size (height, width)."""
    earlier = _earlier(encoder)
    if earlier is not None and model in (None, earlier.model):
        usual = _Usual(model=earlier.model, width=earlier.width, size=earlier.input_size)
    name = usual.model if model is None else model
    kind = find_kind(name)
    if width is None:
        width = usual.width if kind.scales else 1.0
    if not 0 < width <= MAX_WIDTH:
        raise DataError(f"width {width:g} came; wanted more than 0 and at most {MAX_WIDTH:g}")
    if size is not None:
        return name, width, kind.sizes.checked(parse_size(size))
    height, across = (kind.sizes.fitting(side) for side in usual.size)
    return name, width, (height, across)


def _earlier(encoder: str) -> Manifest | None:
    """What a checkpoint that is trained further is; None for what has no manifest beside it."""
    if encoder in CHOICES:
        return None
    try:
        return read_manifest(Path(encoder))
    except ManifestError:
        return None


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
