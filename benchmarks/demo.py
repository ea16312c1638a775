"""The end of `make demo`: does the reported water follow the true water, and where are the results?

python -m benchmarks.demo DEMO_FOLDER
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Annotated

import cv2
import matplotlib
import numpy as np
import typer
from matplotlib import pyplot as plt
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from runtime.console import run
from runtime.errors import DataError
from runtime.files import atomic_path

RESULTS = {
    "overlay.mp4": "the flood clip with its masks drawn in",
    "masks": "one mask per frame, water is white",
    "frames.jsonl": "index, time, water fraction and milliseconds of every frame",
    "shipped.mp4": "the same clip with the masks of the model that ships",
    "shipped.jsonl": "its numbers",
    "water.png": "overlay frames above the true and the reported water fraction",
    "run/curves.png": "loss and IoU over the epochs",
    "run/panels.png": "image, true mask, predicted mask",
    "run/progress.gif": "one mask as it is learned",
    "export/model.onnx": "the exported model, with its manifest beside it",
}


def read_truth(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Timestamps in seconds and true water fractions, both (frames,), from the clip's CSV."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    times = np.array([float(row["timestamp_s"]) for row in rows])
    return times, np.array([float(row["water_fraction"]) for row in rows])


def read_reported(path: Path) -> NDArray[np.float64]:
    """Reported water fractions, (frames,), from frames.jsonl."""
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return np.array([line["water_fraction"] for line in lines if "summary" not in line])


def read_frames(video: Path, indexes: NDArray[np.intp]) -> list[NDArray[np.uint8]]:
    """Frames of a video, (H, W, 3) uint8 RGB. Raises DataError when it has fewer."""
    capture = cv2.VideoCapture(str(video))
    frames: dict[int, NDArray[np.uint8]] = {}
    for index in range(int(indexes.max()) + 1):
        came, frame = capture.read()
        if not came:
            raise DataError(f"{video} ends at frame {index}; run 'make demo' again")
        if index in indexes:
            frames[index] = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    capture.release()
    return [frames[int(index)] for index in indexes]


def plot(
    path: Path,
    times: NDArray[np.float64],
    true: NDArray[np.float64],
    reported: dict[str, NDArray[np.float64]],
    video: Path,
) -> None:
    """Draws three frames of the overlay video above both curves into a PNG, atomically."""
    indexes = np.linspace(0, len(times) - 1, 5).astype(int)[[1, 2, 3]]
    figure = plt.figure(figsize=(10, 5.2), layout="constrained")
    grid = figure.add_gridspec(2, 3, height_ratios=(1, 1.15))
    for column, frame in enumerate(read_frames(video, indexes)):
        axes = figure.add_subplot(grid[0, column])
        axes.imshow(frame)
        axes.set_axis_off()
    axes = figure.add_subplot(grid[1, :])
    axes.plot(times, 100 * true, color="#1b6ca8", linewidth=2, label="true")
    for (name, fractions), colour in zip(reported.items(), ("#e07a1f", "#5b8c3a"), strict=True):
        axes.plot(times, 100 * fractions, color=colour, linewidth=1.5, label=name)
    for index in indexes:
        axes.axvline(times[index], color="0.6", linewidth=0.8, linestyle=":")
    axes.set(xlabel="time (s)", ylabel="water (% of the frame)", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=100)
    plt.close(figure)


def summarise(folder: Path) -> None:
    """Prints true and reported water, their mean absolute error, and where the results lie.

    Raises DataError when the log and the clip do not have the same number of frames.
    """
    times, true = read_truth(folder / "flood.truth.csv")
    logs = {"trained here": "frames.jsonl", "the model that ships": "shipped.jsonl"}
    reported = {name: read_reported(folder / log) for name, log in logs.items()}
    for name, fractions in reported.items():
        if len(true) != len(fractions):
            raise DataError(
                f"{folder / logs[name]} has {len(fractions)} frames, the clip {len(true)}; "
                "run 'make demo' again"
            )
    plot(folder / "water.png", times, true, reported, folder / "overlay.mp4")
    console = Console()
    table = Table(title="Water in the generated clip", title_justify="left")
    for heading in ("time", "true", *(part for name in reported for part in (name, "off by"))):
        table.add_column(heading, justify="right")
    for index in np.linspace(0, len(true) - 1, 9).astype(int):
        cells = [f"{times[index]:.1f} s", f"{true[index]:.1%}"]
        for fractions in reported.values():
            cells += [f"{fractions[index]:.1%}", f"{100 * (fractions[index] - true[index]):+.1f}"]
        table.add_row(*cells)
    console.print(table)
    for name, fractions in reported.items():
        error = float(np.mean(np.abs(fractions - true)))
        console.print(
            f"{name}: {fractions.mean():.1%} on average, true {true.mean():.1%}; "
            f"mean absolute error {100 * error:.2f} points, "
            f"correlation {np.corrcoef(true, fractions)[0, 1]:.3f}"
        )
    console.print()
    places = Table(title="Where to look", title_justify="left", box=None, show_header=False)
    for name, meaning in RESULTS.items():
        if (folder / name).exists():
            places.add_row(str(folder / name), meaning)
    console.print(places)


def main(folder: Annotated[Path, typer.Argument(help="what `make demo` filled")]) -> None:
    """Compare the reported water fraction with the true one and list the results."""
    summarise(folder)


if __name__ == "__main__":
    matplotlib.use("Agg")
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    run(app)
