"""Where a run leaves its files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from runtime.errors import SinkError
from runtime.files import make_folder, write_text
from runtime.manifest import manifest_path

RUNS = Path("runs")


class RunFolder:
    """The files of one run: best.safetensors and last.safetensors, each with its manifest,
    config.json, metrics.csv, curves.png, panels.png and progress.gif."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.best = path / "best.safetensors"
        self.last = path / "last.safetensors"
        self.metrics = path / "metrics.csv"
        self.curves = path / "curves.png"
        self.panels = path / "panels.png"
        self.progress = path / "progress.gif"

    def clear(self) -> None:
        """Makes the folder and takes away an earlier run's results. Raises SinkError."""
        if self.path.exists() and not self.path.is_dir():
            raise SinkError(f"cannot write into {self.path}: it is a file; choose another --out")
        make_folder(self.path)
        results = [self.best, self.last, self.metrics, self.curves, self.panels, self.progress]
        for file in [*results, manifest_path(self.best), manifest_path(self.last)]:
            file.unlink(missing_ok=True)

    def write_metrics(self, rows: Sequence[dict[str, object]]) -> None:
        """Writes metrics.csv anew, one row per epoch. Raises SinkError."""
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_text(self.metrics, text.getvalue())


def next_run_folder(root: Path = RUNS) -> Path:
    """runs/1, runs/2 and so on: the number after the highest that is there."""
    taken = [
        int(path.name) for path in root.glob("*") if path.name.isascii() and path.name.isdigit()
    ]
    return root / str(max(taken, default=0) + 1)
