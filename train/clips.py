"""Generated clips of a rising flood seen by one camera, with the true water fraction per frame.

Run as `python -m train.clips OUT.mp4`; the truth is written beside the clip as OUT.truth.csv.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from rich.progress import track

from runtime.console import run, say
from runtime.errors import DataError, SinkError
from runtime.files import atomic_path, write_text
from train.console import console
from train.scenes import Scene, SceneDescription, describe, level_for_fraction, render

LOWEST, HIGHEST = 0.08, 0.68
"""Share of the picture under water at its lowest and highest, things that stand in it aside."""
DAYLIGHT = ("noon", "morning", "golden", "overcast")
PROBE_SIZE = (72, 128)

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def write_clip(
    path: Path,
    seconds: float = 10.0,
    fps: float = 25.0,
    size: tuple[int, int] = (360, 640),
    seed: int = 0,
) -> list[float]:
    """Writes a clip (MPEG-4 in .mp4) and gives the true water fraction of each frame, 0-1.

    `size` is (height, width). The file appears whole or not at all. Raises DataError for a
    length, rate or size that makes no video and SinkError when the file cannot be written.
    """
    count = _frame_count(seconds, fps, size)
    if path.suffix.lower() != ".mp4":
        raise SinkError(f"cannot write video to {path}; give a name that ends in .mp4")
    fractions = []
    with atomic_path(path) as temporary:
        writer = cv2.VideoWriter(
            str(temporary), cv2.VideoWriter_fourcc(*"mp4v"), fps, (size[1], size[0])
        )
        if not writer.isOpened():
            raise SinkError(f"OpenCV cannot write {path} as MPEG-4; install opencv-python-headless")
        try:
            scenes = clip_scenes(count, fps, size, seed)
            for scene in track(scenes, "drawing the clip", count, console=console, transient=True):
                writer.write(np.ascontiguousarray(scene.image[..., ::-1]))
                fractions.append(float(scene.mask.mean()))
        finally:
            writer.release()
    return fractions


def clip_scenes(count: int, fps: float, size: tuple[int, int], seed: int) -> Iterator[Scene]:
    """The frames of a clip: the water rises, falls a little, laps; clouds dim the light."""
    description = choose_place(seed)
    time_s = np.arange(count) / fps
    progress = np.linspace(0, 1, count)
    rise = np.interp(progress, [0, 0.8, 1], [0, 1, 0.85])
    rise = rise * rise * (3 - 2 * rise)
    lapping = 0.006 * np.sin(2.1 * time_s) + 0.004 * np.sin(5.3 * time_s)
    covered = np.clip(LOWEST + (HIGHEST - LOWEST) * rise + lapping, 0, 1)
    levels = level_for_fraction(description.camera, description.land, covered)
    for now, level in zip(time_s, levels, strict=True):
        dimmed = description.light.exposure * (1 + 0.05 * np.sin(0.7 * now + seed))
        light = dataclasses.replace(description.light, exposure=float(dimmed))
        frame = dataclasses.replace(description, light=light)
        yield render(frame, size, time_s=float(now), water_level=float(level))


def choose_place(seed: int) -> SceneDescription:
    """The first river bank from `seed` on, by day, that a flood can cover from a tenth to over
    half of the picture."""
    for candidate in range(seed * 1000, seed * 1000 + 1000):
        description = describe(candidate)
        if description.place != "river":
            continue
        if description.light.hour not in DAYLIGHT or description.light.noise > 0.03:
            continue
        low, high = level_for_fraction(
            description.camera, description.land, np.array([LOWEST, HIGHEST])
        )
        first = render(description, PROBE_SIZE, water_level=float(low)).mask.mean()
        last = render(description, PROBE_SIZE, water_level=float(high)).mask.mean()
        if first < 0.12 and last > 0.58:
            return description
    raise AssertionError("no scene of a thousand can be flooded; describe() is broken")


def _frame_count(seconds: float, fps: float, size: tuple[int, int]) -> int:
    if not (0 < seconds <= 3600 and 1 <= fps <= 240):
        raise DataError(
            f"a clip of {seconds:g} s at {fps:g} frames/s cannot be made; "
            "take up to 3600 s and 1 to 240 frames/s"
        )
    if min(size) < 64 or max(size) > 4096 or size[0] % 2 or size[1] % 2:
        raise DataError(
            f"a clip of {size[0]}x{size[1]} cannot be made; take even sides from 64 to 4096, "
            "height first, for example 360x640"
        )
    return max(round(seconds * fps), 1)


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if not found:
        raise typer.BadParameter(f"{text!r} is not HEIGHTxWIDTH, for example 360x640")
    return int(found[1]), int(found[2])


@app.command()
def main(
    out: Annotated[Path, typer.Argument(help="The clip to write, ending in .mp4.")],
    seconds: Annotated[float, typer.Option(help="Length of the clip.")] = 10.0,
    fps: Annotated[float, typer.Option(help="Frames per second.")] = 25.0,
    size: Annotated[str, typer.Option(help="Height and width, as 360x640.")] = "360x640",
    seed: Annotated[int, typer.Option(min=0, help="Which place, light and water.")] = 0,
) -> None:
    """Writes a generated clip of a rising flood and, beside it, the true water fractions."""
    fractions = write_clip(out, seconds, fps, _size(size), seed)
    rows = [f"{i},{i / fps:.6f},{fraction:.6f}" for i, fraction in enumerate(fractions)]
    truth = out.with_suffix(".truth.csv")
    write_text(truth, "\n".join(["index,timestamp_s,water_fraction", *rows, ""]))
    say(f"{len(fractions)} frames, water fraction {min(fractions):.2f} to {max(fractions):.2f}")
    print(out)
    print(truth)


if __name__ == "__main__":
    run(app)
