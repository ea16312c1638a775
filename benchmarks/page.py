"""The page of all measured devices: one file with plots, which opens offline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import jinja2
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, PercentFormatter, StrMethodFormatter

from benchmarks.results import Results, Shape
from benchmarks.table import cells
from runtime.files import write_text
from train.plots import BLUE, FAINT, INK, ORANGE, dress
from train.summary.plots import svg

TEMPLATE = "report.html.jinja"
COLOURS = {"fp32": INK, "fp16": BLUE, "bf16": BLUE, "int8": ORANGE}
MARKERS = "osD^vP*X"
WIDE_IN = (7.5, 3.3)
STAGES = {"read": FAINT, "preprocess": INK, "infer": BLUE, "postprocess": ORANGE}


def write_page(found: Sequence[Results], path: Path) -> Path:
    """Writes the page and returns its path. Raises SinkError."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    devices = [(results, plots(results)) for results in found]
    template = environment.get_template(TEMPLATE)
    write_text(path, template.render(devices=devices, cells=cells, latencies=latencies))
    return path


def plots(results: Results) -> dict[str, Markup]:
    """Title -> plot of everything that is not of a single size and batch."""
    drawn = {}
    if any(shape.timed for shape in results.shapes):
        drawn["Accuracy against latency"] = accuracy(results.shapes)
    if results.pipeline.get("films"):
        drawn["Stages of a run"] = stages(results.pipeline["films"])
    return drawn


def latencies(shape: Shape) -> Markup:
    """Every timed call of every path as a dot, the median as a line."""

    def draw(axes: Axes) -> None:
        rows = shape.timed[::-1]
        for height, row in enumerate(rows):
            colour = COLOURS[row.precision]
            jitter = height + 0.5 * (np.arange(len(row.ms)) % 7 - 3) / 7
            axes.plot(row.ms, jitter, "o", color=colour, alpha=0.45, markersize=3)
            middle = row.quantile(0.5)
            axes.plot([middle, middle], [height - 0.4, height + 0.4], color=colour, linewidth=2)
        axes.set_yticks(range(len(rows)), [row.path for row in rows])
        _milliseconds(axes, "ms per call")
        dress(axes, shape.title)

    height_in = 1.0 + 0.3 * len(shape.timed)
    return svg(f"Latency of every call at {shape.title}", draw, (7.5, height_in))


def accuracy(shapes: Sequence[Shape]) -> Markup:
    """IoU with the true masks against milliseconds per frame: upper left is better."""

    def draw(axes: Axes) -> None:
        for shape, marker in zip(shapes, MARKERS, strict=False):
            axes.plot([], [], marker, color=FAINT, label=shape.title)
            for row in shape.timed:
                ms = row.quantile(0.5) / shape.batch
                colour = COLOURS[row.precision]
                axes.plot(ms, row.iou, marker, color=colour, markersize=6, alpha=0.8)
        for precision, colour in (("FP32", INK), ("FP16, BF16", BLUE), ("INT8", ORANGE)):
            axes.plot([], [], "-", color=colour, linewidth=3, label=precision)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
        axes.set_ylabel("IoU with the true masks")
        _milliseconds(axes, "ms per frame")
        dress(axes, "accuracy against latency")
        _legend_outside(axes)

    return svg("IoU against milliseconds per frame", draw, WIDE_IN)


def stages(films: dict[str, dict[str, dict[str, float]]]) -> Markup:
    """Mean milliseconds of each stage; they run side by side, so the longest is the pace."""

    def draw(axes: Axes) -> None:
        names = list(films)[::-1]
        for height, name in enumerate(names):
            left = 0.0
            for stage, ms in films[name]["stage_ms"].items():
                axes.barh(height, ms, 0.6, left, color=STAGES.get(stage, FAINT))
                left += ms
        for stage, colour in STAGES.items():
            axes.plot([], [], "-", color=colour, linewidth=6, label=stage)
        axes.set_yticks(range(len(names)), names)
        axes.set_xlabel("ms per frame")
        dress(axes, "stages of a run")
        _legend_outside(axes)

    return svg("Milliseconds of each stage of a run", draw, WIDE_IN)


def _milliseconds(axes: Axes, label: str) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(label)


def _legend_outside(axes: Axes) -> None:
    """Beside the plot, where it covers no point."""
    axes.legend(
        loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, labelcolor=INK, fontsize=9
    )
