"""What the command line's options have to be, beyond their types."""

from __future__ import annotations

import math
from pathlib import Path

import typer

from runtime.redaction import ADDRESS


def local_path(text: str) -> Path:
    """A file or folder of this machine. Raises typer.BadParameter for an address, and for the empty
    text of a shell's variable that is not set, which would be the folder one is in."""
    if not text:
        raise typer.BadParameter("it is empty; wanted a path")
    if ADDRESS.match(text):
        raise typer.BadParameter(f"'{text}' is an address; wanted a path on this machine")
    return Path(text)


local_path.__name__ = "path"  # as --help shows the type of an argument


def finite(value: float | None) -> float | None:
    """A number that one can count with. Raises typer.BadParameter for nan and infinity."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no finite number; wanted one such as 10")
    return value
