"""What a person sees of a run: a live line while it runs, a few lines when it is over."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from runtime.cameras import Camera
from runtime.console import say

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@contextlib.contextmanager
def live_lines(cameras: Sequence[Camera], max_frames: int | None) -> Iterator[Callable[[], None]]:
    """A progress line per camera on stderr, with FPS and water fraction, and a function that
    brings them up to date; silent where that is no terminal."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    with _progress() as progress:
        tasks: list[tuple[TaskID, Camera]] = []
        for camera in cameras:
            known = [n for n in (camera.source.info.frame_count, max_frames) if n is not None]
            name = camera.name if len(cameras) > 1 else ""
            nothing: dict[str, Any] = {"frames": "0", "fps": 0.0, "water": 0.0, "lost": ""}
            task = progress.add_task(name, total=min(known, default=None), **nothing)
            tasks.append((task, camera))

        def update() -> None:
            for task, camera in tasks:
                _update(progress, task, camera)

        yield update


def _progress() -> Progress:
    from rich.console import Console  # a service has no terminal and starts sooner without
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[frames]} frames"),
        TextColumn("[cyan]{task.fields[fps]:.1f} FPS"),
        TextColumn("[blue]water {task.fields[water]:.1f} %"),
        TextColumn("{task.fields[lost]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def _update(progress: Progress, task: TaskID, camera: Camera) -> None:
    tally = camera.tally
    counts = tally.counts
    numbers = ((counts.dropped, "dropped"), (counts.failed, "failed"))
    progress.update(
        task,
        completed=counts.seen - counts.under_way,
        frames=str(counts.processed),
        fps=tally.recent_fps,
        water=tally.water_fraction * 100,
        lost=", ".join(f"{number} {word}" for number, word in numbers if number),
    )


def tell(cameras: Sequence[Camera]) -> None:
    """Says on stderr what each camera did, and each one's fault where there are several."""
    for camera in cameras:
        before = f"{camera.name}: " if len(cameras) > 1 else ""
        if camera.tally.counts.seen or camera.tally.counts.gaps:
            for line in summary_lines(camera.summary()):
                say(before + line)
        if before and (fault := camera.fault()) is not None:
            say(f"{before}{fault}")


def summary_lines(summary: dict[str, Any]) -> list[str]:
    """The summary of a camera for people."""
    frames = summary["frames"]
    under_way = frames["seen"] - frames["processed"] - frames["dropped"] - frames["failed"]
    lines = [
        f"{frames['seen']} frames seen = {frames['processed']} processed "
        f"+ {frames['dropped']} dropped{_listed(frames['reasons'])} "
        f"+ {frames['failed']} failed{_listed(frames['failures'])}"
        f"{f' + {under_way} under way' if under_way else ''}"
    ]
    if frames["gaps"]:
        times = "time" if frames["gaps"] == 1 else "times"
        lines.append(f"away {frames['gaps']} {times}, {frames['away_s']:.1f} s in all")
    if "water_fraction" not in summary:
        return lines
    water = {key: value * 100 for key, value in summary["water_fraction"].items()}
    lines[0] += f"; {summary['fps']:.1f} FPS over {summary['seconds']:.1f} s"
    lines.append(
        f"water {water['mean']:.1f} % on average, {water['low']:.1f} % to {water['high']:.1f} %"
    )
    stages = ", ".join(f"{stage} {ms:.1f}" for stage, ms in summary["ms"].items())
    lines.append(f"milliseconds per frame: {stages}")
    for name, sink in summary.get("sinks", {}).items():
        missing = [f"{sink[word]} {word}" for word in ("skipped", "lost") if sink[word]]
        if missing:
            lines.append(f"{name}: {sink['written']} frames written, {', '.join(missing)}")
    return lines


def _listed(numbers: dict[str, int]) -> str:
    """(3 stale, 1 frozen), or nothing."""
    listed = ", ".join(f"{number} {reason}" for reason, number in numbers.items())
    return f" ({listed})" if listed else ""
