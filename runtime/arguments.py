"""What the command line's options have to be, beyond their types."""

from __future__ import annotations

import math
from pathlib import Path

import typer

from runtime.redaction import ADDRESS


def local_path(path: Path | None) -> Path | None:
    """A file or folder of this machine. Raises typer.BadParameter for an address."""
    if path is not None and ADDRESS.match(str(path)):
        raise typer.BadParameter(f"'{path}' is an address; wanted a path on this machine")
    return path


def finite(value: float | None) -> float | None:
    """A number that one can count with. Raises typer.BadParameter for nan and infinity."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no finite number; wanted one such as 10")
    return value
