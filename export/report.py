"""Parity as people read it (a table) and as machines do (a dictionary)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from export.artefacts import Exported
from export.parity import NAMES, Parity
from runtime.manifest import Manifest


def show(rows: Sequence[Exported]) -> None:
    """Prints every number of every artefact beside its limit on stdout."""
    for row in rows:
        table = Table(
            title=f"{row.path.name} ({row.manifest.precision}) and PyTorch, "
            f"frames: {row.parity.frames}",
            title_justify="left",
            caption=_remark(row.manifest),
            caption_justify="left",
        )
        table.add_column("number", no_wrap=True)
        table.add_column("measured", justify="right")
        table.add_column("limit", justify="right")
        for name in shown_numbers(row.parity):
            limit = row.limits.get(name)
            measured = readable(name, getattr(row.parity, name))
            table.add_row(NAMES[name], measured, "" if limit is None else readable(name, limit))
        Console(highlight=False).print(table)


def _remark(manifest: Manifest) -> str | None:
    """What else there is to say of a precision: how much of the graph has it."""
    if manifest.precision == "fp16":
        half, layers = manifest.half_layers["graph"]
        return f"{half} of {layers} layers are half precision"
    if manifest.quantisation is not None:
        kept = ", ".join(manifest.quantisation.kept) or "none"
        return f"{manifest.quantisation.method} calibration; layers kept in float32: {kept}"
    return None


def shown_numbers(parity: Parity) -> list[str]:
    """The numbers of a parity that were measured, in the order in which they are shown."""
    return [name for name in NAMES if getattr(parity, name) is not None]


def readable(name: str, value: float) -> str:
    """A share in per cent, a difference of logits as it is."""
    return f"{value:.2e}" if name.endswith("abs") else f"{100 * value:.4f} %"


def as_dictionary(row: Exported) -> dict[str, Any]:
    """What --json prints for one artefact."""
    return {
        "artefact": str(row.path),
        "precision": row.manifest.precision,
        "parity": dataclasses.asdict(row.parity),
        "limits": dict(row.limits),
    }
