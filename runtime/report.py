"""What a person sees of a run: a live line while it runs, a few lines when it is over."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from runtime.pipeline import Tally
from runtime.sources import SourceInfo


@contextlib.contextmanager
def live_line(info: SourceInfo, max_frames: int | None) -> Iterator[Callable[[Tally], None]]:
    """A progress line on stderr, with FPS and water fraction; silent where that is no terminal."""
    console = Console(stderr=True)
    known = [count for count in (info.frame_count, max_frames) if count is not None]
    columns = (
        BarColumn(bar_width=24),
        TextColumn("{task.fields[frames]} frames"),
        TextColumn("[cyan]{task.fields[fps]:.1f} FPS"),
        TextColumn("[blue]water {task.fields[water]:.1f} %"),
        TextColumn("{task.fields[lost]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(
            "", total=min(known, default=None), frames="0", fps=0.0, water=0.0, lost=""
        )

        def update(tally: Tally) -> None:
            counts = tally.counts
            lost = [
                f"{number} {word}"
                for number, word in ((counts.dropped, "dropped"), (counts.failed, "failed"))
                if number
            ]
            progress.update(
                task,
                completed=counts.seen,
                frames=str(counts.processed),
                fps=tally.recent_fps,
                water=tally.water_fraction * 100,
                lost=", ".join(lost),
            )

        yield update


def summary_lines(summary: dict[str, Any]) -> list[str]:
    """The summary of Tally.summary for people."""
    frames = summary["frames"]
    reasons = ", ".join(f"{number} {reason}" for reason, number in frames["reasons"].items())
    lines = [
        f"{frames['seen']} frames seen = {frames['processed']} processed "
        f"+ {frames['dropped']} dropped{f' ({reasons})' if reasons else ''} "
        f"+ {frames['failed']} failed"
    ]
    if frames["gaps"]:
        lines.append(f"away {frames['gaps']} times, {frames['away_s']:.1f} s in all")
    if "water_fraction" not in summary:
        return lines
    water = {key: value * 100 for key, value in summary["water_fraction"].items()}
    lines[0] += f"; {summary['fps']:.1f} FPS over {summary['seconds']:.1f} s"
    lines.append(
        f"water {water['mean']:.1f} % on average, {water['low']:.1f} % to {water['high']:.1f} %"
    )
    stages = ", ".join(f"{stage} {ms:.1f}" for stage, ms in summary["ms"].items())
    lines.append(f"milliseconds per frame: {stages}")
    return lines
