"""Parity as people read it (a table) and as machines do (a dictionary)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from export.artefacts import Exported
from export.parity import NAMES
from runtime.manifest import Manifest


def show(rows: Sequence[Exported]) -> None:
    """Prints every number of every artefact beside its limit and PyTorch's own noise on stdout."""
    for row in rows:
        proved = row.certificate
        table = Table(
            title=f"{row.path.name} ({row.manifest.precision}) and PyTorch, "
            f"frames: {len(proved.frames.names)}",
            title_justify="left",
            caption=_remark(row.manifest),
            caption_justify="left",
        )
        table.add_column("number", no_wrap=True)
        for heading in ("measured", "limit", "PyTorch itself"):
            table.add_column(heading, justify="right")
        for name, value in proved.parity.items():
            limit = proved.limits.get(name)
            noise = [floor[name] for floor in proved.noise_floor.values() if name in floor]
            table.add_row(
                NAMES[name],
                readable(name, value),
                "" if limit is None else readable(name, limit),
                readable(name, max(noise)) if noise else "",
            )
        for size, numbers in proved.other_sizes.items():
            table.add_row(f"pixels that flip at {size}", readable("flipped", numbers["flipped"]))
        Console(highlight=False).print(table)


def _remark(manifest: Manifest) -> str | None:
    """What else there is to say of a precision: how much of the graph has it."""
    if manifest.precision == "fp16":
        half, layers = manifest.half_layers["graph"]
        return f"{half} of {layers} layers are half precision"
    if manifest.quantisation is not None:
        kept = ", ".join(manifest.quantisation.kept) or "none"
        return f"{manifest.quantisation.method} calibration; layers not in 8 bits: {kept}"
    return None


def readable(name: str, value: float) -> str:
    """A share in per cent, a difference of logits as it is."""
    return f"{value:.2e}" if name.endswith("abs") else f"{100 * value:.4f} %"


def as_dictionary(row: Exported) -> dict[str, Any]:
    """What --json prints for one artefact: its certificate."""
    return {"artefact": str(row.path), **dataclasses.asdict(row.certificate)}
