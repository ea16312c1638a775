"""Where a run leaves its files."""

from __future__ import annotations

import contextlib
import csv
import fcntl
import io
import os
import shlex
import weakref
from collections.abc import Sequence
from pathlib import Path

from runtime.errors import DataError, SinkError
from runtime.files import make_folder, remove_orphans, write_text
from runtime.manifest_file import manifest_path
from train.settings import CONFIG
from train.state import STATE

RUNS = Path("runs")


class RunFolder:
    """The files of one run: best.safetensors and last.safetensors, each with its manifest,
    config.json, metrics.csv, TensorBoard's events, curves.png, panels.png, progress.gif and
    report.html; and until it has ended state.safetensors, to go on from."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.best = path / "best.safetensors"
        self.last = path / "last.safetensors"
        self.state = path / STATE
        self.metrics = path / "metrics.csv"
        self.curves = path / "curves.png"
        self.panels = path / "panels.png"
        self.progress = path / "progress.gif"
        self.report = path / "report.html"
        self.config = path / CONFIG
        self.taken = False

    @property
    def going_on(self) -> str:
        """The command that goes on with this run, for a shell."""
        return f"python -m train --resume --out {shlex.quote(str(self.path))}"

    def begin(self) -> None:
        """Makes the folder for a new run and takes it. Raises SinkError when another run's results
        lie there, or another process is making them."""
        if self.path.exists() and not self.path.is_dir():
            raise SinkError(f"cannot write into {self.path}: it is a file; choose another --out")
        if self.state.exists():
            raise SinkError(
                f"{self.path} holds a run that has not ended; go on with: {self.going_on}; "
                "or choose another --out"
            )
        if self.metrics.exists():
            raise SinkError(f"{self.path} holds a run's results; delete it or choose another --out")
        make_folder(self.path)
        self.take()

    def take(self) -> None:
        """Keeps other processes from training here, as long as this object or this process lives,
        and removes what one that was killed has left half-written.

        Raises SinkError where another one is at work.
        """
        if self.taken:
            return
        descriptor = os.open(self.path, os.O_RDONLY)
        weakref.finalize(self, os.close, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SinkError(
                f"another process is training in {self.path}; wait for its end, "
                "or choose another --out"
            ) from None
        self.taken = True
        checkpoints = (self.best, self.last)
        drawn = (self.curves, self.panels, self.progress, self.report)
        remove_orphans(
            (*checkpoints, *map(manifest_path, checkpoints), *drawn)
            + (self.state, self.metrics, self.config)
        )

    def abandon(self) -> None:
        """Takes back what `begin` and the first writes left of a run that could not begin."""
        for path in (self.config, self.state):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # a folder in which other things lie stays
            self.path.rmdir()

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


def unfinished_run(root: Path = RUNS) -> Path:
    """The run that was last interrupted. Raises DataError where there is none."""
    found = list(root.glob(f"*/{STATE}"))
    if not found:
        raise DataError(
            f"nothing to resume: no run in {root}/ was interrupted; name its folder with --out"
        )
    return max(found, key=lambda path: path.stat().st_mtime).parent
