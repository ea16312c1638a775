"""A small latency table of one export folder: `python -m benchmarks.table exports/NAME`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.contestants import Contest, open_contest
from runtime.console import run, say
from train.console import console

WARM_UP = 3
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def latency(
    exports: Annotated[Path, typer.Argument(help="A folder that 'python -m export' wrote.")],
    rounds: Annotated[int, typer.Option(min=3, help="How often each backend runs.")] = 30,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Default: found in runs/ by its hash.")
    ] = None,
) -> None:
    """Time every exported file and PyTorch in turn, on the same frames, and check their results."""
    contest = open_contest(exports, checkpoint)
    timings = time_in_turn(contest, rounds)
    height, width = contest.manifest.input_size
    table = Table(title=f"one frame of {height}x{width}, {rounds} rounds in turn")
    table.add_column("backend", no_wrap=True)
    for heading in ("p50 ms", "p5-p95 ms", "frames/s", "against PyTorch"):
        table.add_column(heading, justify="right")
    baseline = float(np.median(timings[contest.contestants[0].name]))
    for name, milliseconds in timings.items():
        low, middle, high = np.quantile(milliseconds, [0.05, 0.5, 0.95])
        table.add_row(
            name,
            f"{middle:.1f}",
            f"{low:.1f}-{high:.1f}",
            f"{1000 / middle:.1f}",
            f"{baseline / middle:.2f}x",
        )
    Console(highlight=False).print(table)
    say(f"on {contest.origin}; every timed result was within its precision's limits")


def time_in_turn(contest: Contest, rounds: int) -> dict[str, list[float]]:
    """Milliseconds per call of each contestant, in rounds in which each runs once, so that a busy
    or throttling machine slows all of them alike. Raises ParityError."""
    timings: dict[str, list[float]] = {entry.name: [] for entry in contest.contestants}
    outputs: dict[str, list[np.ndarray]] = {entry.name: [] for entry in contest.contestants}
    for position in track(range(WARM_UP + rounds), "timing", console=console, transient=True):
        index = position % len(contest.frames)
        frame = contest.frames[index : index + 1]
        for entry in contest.contestants:
            start = time.perf_counter()
            logits = entry.infer(frame)
            elapsed_ms = 1000 * (time.perf_counter() - start)
            if position >= WARM_UP:
                timings[entry.name].append(elapsed_ms)
            if len(outputs[entry.name]) < len(contest.frames):
                outputs[entry.name].append(logits)
    for entry in contest.contestants:
        contest.check_parity(entry.name, outputs[entry.name])
    return timings


if __name__ == "__main__":
    run(app)
