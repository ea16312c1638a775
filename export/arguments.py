"""What the words of the command line mean: which checkpoint, which batch, which folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import typer

from runtime.errors import ModelError

RUNS = Path("runs")
EXPORTS = Path("exports")
ANY_BATCH = "dynamic"
LARGEST_BATCH = 1024


def newest_checkpoint(runs: Path = RUNS) -> Path:
    """The best checkpoint of the run that was last written. Raises ModelError."""
    found = list(runs.glob("*/best.safetensors"))
    if not found:
        raise ModelError(
            f"no checkpoint named and no trained run in {runs}/; train one with 'python -m train', "
            "or name one: python -m export CHECKPOINT"
        )
    return max(found, key=lambda path: path.stat().st_mtime)


def default_folder(checkpoint: Path) -> Path:
    """`runs/NAME/best.safetensors` -> `exports/NAME`."""
    return EXPORTS / checkpoint.resolve().parent.name


def parse_batch(text: str) -> int:
    """The frames of one batch; "dynamic" gives 0, any number. Raises typer.BadParameter."""
    if text == ANY_BATCH:
        return 0
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= LARGEST_BATCH):
        raise typer.BadParameter(
            f"'{text}' is no batch; wanted 1 to {LARGEST_BATCH} or '{ANY_BATCH}'"
        )
    return int(text)


def changed_limits(usual: Mapping[str, float], **given: float | None) -> dict[str, float]:
    """A precision's limits with those that were given on the command line in their place."""
    return {**usual, **{name: limit for name, limit in given.items() if limit is not None}}
