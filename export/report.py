"""Parity as people read it (a table) and as machines do (a dictionary)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from export.parity import NAMES, Parity


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One artefact, what was measured of it, and what is allowed."""

    artefact: Path
    precision: str
    parity: Parity
    limits: Mapping[str, float]


def show(rows: Sequence[Row]) -> None:
    """Prints every number of every artefact beside its limit on stdout."""
    for row in rows:
        table = Table(
            title=f"{row.artefact.name} ({row.precision}) and PyTorch, frames: {row.parity.frames}",
            title_justify="left",
        )
        table.add_column("number", no_wrap=True)
        table.add_column("measured", justify="right")
        table.add_column("limit", justify="right")
        for name in shown_numbers(row.parity):
            limit = row.limits.get(name)
            measured = readable(name, getattr(row.parity, name))
            table.add_row(NAMES[name], measured, "" if limit is None else readable(name, limit))
        Console(highlight=False).print(table)


def shown_numbers(parity: Parity) -> list[str]:
    """The numbers of a parity that were measured, in the order in which they are shown."""
    return [name for name in NAMES if getattr(parity, name) is not None]


def readable(name: str, value: float) -> str:
    """A share in per cent, a difference of logits as it is."""
    return f"{value:.2e}" if name.endswith("abs") else f"{100 * value:.4f} %"


def as_dictionary(row: Row) -> dict[str, Any]:
    """What --json prints for one artefact."""
    return {
        "artefact": str(row.artefact),
        "precision": row.precision,
        "parity": dataclasses.asdict(row.parity),
        "limits": dict(row.limits),
    }
