"""What the environment says is to be timed: FLOOD_EXPORTS and what belongs to it."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.entry import Entry, open_entry


def named_exports() -> tuple[Path, ...]:
    """FLOOD_EXPORTS: export folders or artefacts of one checkpoint, joined as in PATH."""
    return tuple(map(Path, filter(None, os.environ.get("FLOOD_EXPORTS", "").split(os.pathsep))))


def entry_from_environment() -> Entry | None:
    """FLOOD_EXPORTS, FLOOD_CHECKPOINT, FLOOD_DATA and FLOOD_PAIRS; None without the first."""
    if not (named := named_exports()):
        return None
    checkpoint, pairs = (
        Path(text) if (text := os.environ.get(key)) else None
        for key in ("FLOOD_CHECKPOINT", "FLOOD_PAIRS")
    )
    return open_entry(named[0], checkpoint, os.environ.get("FLOOD_DATA"), pairs, named[1:])
