"""The pictures of a run: curves, panels, and one mask's way through the epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from runtime.files import atomic_path

WATER = (30, 136, 229)
TRUE_LINE = (255, 214, 0)
INK, FAINT, LINE = "#263238", "#b0bec5", "#eceff1"
BLUE, ORANGE = "#1e88e5", "#f4511e"
FRAME_MS, LAST_FRAME_MS = 180, 1800
MAX_FRAMES = 60


def draw_curves(rows: Sequence[Mapping[str, object]], path: Path) -> None:
    """Loss and IoU over the epochs, from the rows of metrics.csv."""
    drawn = figure(9.6, 3.8)
    losses, scores = drawn.subplots(1, 2)
    plot_losses(losses, rows)
    plot_ious(scores, rows)
    save(drawn, path)


def plot_losses(axes: Axes, rows: Sequence[Mapping[str, object]]) -> None:
    """The losses of train and val over the epochs."""
    _curve(axes, rows, "train_loss", "train", BLUE)
    _curve(axes, rows, "val_loss", "val", ORANGE)
    axes.set_ylim(bottom=0)
    _dress_epochs(axes, rows, "loss")


def plot_ious(axes: Axes, rows: Sequence[Mapping[str, object]]) -> None:
    """Both IoUs of val over the epochs, the best one marked."""
    _curve(axes, rows, "val_iou", "IoU, all pixels", ORANGE)
    _curve(axes, rows, "val_mean_iou", "IoU, mean of pictures", FAINT)
    values = [float(str(row["val_iou"])) for row in rows]
    best = int(np.argmax(values))
    epoch = int(str(rows[best]["epoch"]))
    axes.plot([epoch], [values[best]], "o", color=ORANGE, markersize=7, clip_on=False)
    axes.set_ylim(0, 1)
    _dress_epochs(axes, rows, f"val IoU, best {values[best]:.3f} in epoch {epoch}", "lower right")


def dress(axes: Axes, title: str, legend: str = "best") -> None:
    """The one look of all plots: title on the left, faint lines across, no box around."""
    axes.set_title(title, loc="left", color=INK, fontweight="bold")
    axes.grid(axis="y", color=LINE)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["bottom", "left"]].set_color(FAINT)
    axes.tick_params(labelcolor=INK, color=FAINT)
    axes.xaxis.label.set_color(INK)
    axes.yaxis.label.set_color(INK)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc=legend, frameon=False, labelcolor=INK)


def draw_panels(
    images: NDArray[np.uint8],
    true: NDArray[np.bool_],
    predicted: NDArray[np.bool_],
    names: Sequence[str],
    path: Path,
) -> None:
    """One row per picture: image, true mask, predicted mask.

    images: (N, h, w, 3) uint8 RGB. true, predicted: (N, h, w).
    """
    count, height, width = true.shape
    drawn = figure(7.8, 2.5 * count * height / width + 0.5)
    grid = drawn.subplots(count, 3, squeeze=False)
    for row, image, truth, guess, name in zip(grid, images, true, predicted, names, strict=True):
        union = np.count_nonzero(truth | guess)
        iou = np.count_nonzero(truth & guess) / union if union else 1.0
        shown = (image, tint(image, truth), tint(image, guess))
        for axes, picture in zip(row, shown, strict=True):
            axes.imshow(picture)
            axes.set_axis_off()
        row[0].text(0.03, 0.95, name, transform=row[0].transAxes, **_label("left"))
        row[2].text(0.97, 0.95, f"IoU {iou:.2f}", transform=row[2].transAxes, **_label("right"))
    for axes, title in zip(grid[0], ("image", "true mask", "predicted mask"), strict=True):
        axes.set_title(title, color=INK, fontweight="bold")
    save(drawn, path)


def draw_progress(
    image: NDArray[np.uint8],
    true: NDArray[np.bool_],
    frames: Sequence[NDArray[np.bool_]],
    path: Path,
) -> None:
    """An animation of one picture's predicted mask over the epochs; the true outline is yellow.

    image: (h, w, 3) uint8 RGB. true and each of frames: (h, w). Long runs are thinned out.
    """
    kept = np.unique(np.linspace(0, len(frames) - 1, MAX_FRAMES).round().astype(int))
    scale = max(1, round(448 / max(true.shape)))
    pictures = [_progress_frame(image, true, frames[i], f"epoch {i + 1}", scale) for i in kept]
    times = [FRAME_MS] * (len(pictures) - 1) + [LAST_FRAME_MS]
    with atomic_path(path) as temporary:
        pictures[0].save(
            temporary, save_all=True, append_images=pictures[1:], duration=times, loop=0
        )


def _progress_frame(
    image: NDArray[np.uint8],
    true: NDArray[np.bool_],
    predicted: NDArray[np.bool_],
    caption: str,
    scale: int,
) -> Image.Image:
    height, width = true.shape
    large = (width * scale, height * scale)
    tinted = cv2.resize(tint(image, predicted), large, interpolation=cv2.INTER_CUBIC)
    outline = cv2.resize(true.astype(np.uint8), large, interpolation=cv2.INTER_NEAREST)
    contours, _ = cv2.findContours(outline, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(tinted, contours, -1, TRUE_LINE, 1, cv2.LINE_AA)
    picture = Image.fromarray(tinted)
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=max(14, large[1] // 20))
    box = pen.textbbox((12, 10), caption, font=font)
    pen.rounded_rectangle((box[0] - 6, box[1] - 5, box[2] + 6, box[3] + 5), 5, fill=(38, 50, 56))
    pen.text((12, 10), caption, font=font, fill=(255, 255, 255))
    return picture


def tint(image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The picture with water in blue and land greyed, so that both stay readable."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., np.newaxis]
    land = 0.45 * image + 0.35 * grey + 0.2 * 255
    water = 0.45 * grey + 0.55 * np.array(WATER, np.float32)
    mixed = np.where(mask[..., np.newaxis], water, land)
    return np.clip(mixed, 0, 255).astype(np.uint8)


def figure(width_in: float, height_in: float) -> Figure:
    """An empty white figure, sides in inches, that `save` can write without a display."""
    made = Figure(figsize=(width_in, height_in), dpi=120, layout="constrained", facecolor="white")
    FigureCanvasAgg(made)
    return made


def _curve(
    axes: Axes, rows: Sequence[Mapping[str, object]], column: str, label: str, colour: str
) -> None:
    values = [float(str(row[column])) for row in rows]
    marker = "o" if len(rows) < 3 else None
    axes.plot(_epochs(rows), values, color=colour, label=label, linewidth=1.8, marker=marker)


def _dress_epochs(
    axes: Axes, rows: Sequence[Mapping[str, object]], title: str, legend: str = "best"
) -> None:
    epochs = _epochs(rows)
    axes.set_xlabel("epoch")
    axes.set_xlim(min(epochs) - 0.5, max(epochs) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    dress(axes, title, legend)


def _epochs(rows: Sequence[Mapping[str, object]]) -> list[int]:
    return [int(str(row["epoch"])) for row in rows]


def _label(side: str) -> dict[str, object]:
    box = {"facecolor": INK, "edgecolor": "none", "boxstyle": "round,pad=0.3", "alpha": 0.85}
    return {"color": "white", "fontsize": 8, "ha": side, "va": "top", "bbox": box}


def save(drawn: Figure, path: Path) -> None:
    """Writes a figure as PNG, atomically. Raises SinkError."""
    with atomic_path(path) as temporary:
        drawn.savefig(temporary, format="png")
