"""What the words of the command line mean: which checkpoint, which batch, which folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import typer

from train.encoder import SHIPPED
from train.run_folder import RunFolder

RUNS = Path("runs")
EXPORTS = Path("exports")
ANY_BATCH = "dynamic"
LARGEST_BATCH = 1024


def usual_checkpoint(runs: Path = RUNS) -> tuple[Path, str]:
    """The best checkpoint of the run that was last written, else that of the model that ships; and
    in words, which of them it is."""
    found = list(runs.glob("*/best.safetensors"))
    if not found:
        return SHIPPED, f"the model that ships, because no run lies in {runs}/"
    return max(found, key=lambda path: path.stat().st_mtime), "the newest run"


def default_folder(checkpoint: Path) -> Path:
    """`runs/NAME/best.safetensors` -> `exports/NAME`; of what is no run's, `exports/` and its own
    name."""
    run = RunFolder(checkpoint.resolve().parent)
    of_run = checkpoint.name in (run.best.name, run.last.name)
    return EXPORTS / (run.path.name if of_run else checkpoint.stem)


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
