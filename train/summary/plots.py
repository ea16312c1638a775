"""The plots of a report as SVG whose colours follow the page's, light or dark."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence

import matplotlib
import numpy as np
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from train.plots import BLUE, FAINT, INK, LINE, ORANGE, dress, plot_ious, plot_losses
from train.summary.numbers import THRESHOLDS, Calibration, Numbers, Sweep

SIZE_IN = (4.4, 3.3)
"""Small, so that the lettering stays readable where a phone shows one plot per line."""
COLOURS = {INK: "ink", FAINT: "faint", LINE: "line", BLUE: "blue", ORANGE: "orange"}
"""What matplotlib draws with -> the page's own colour of that name."""

FEW = 1e-3
"""A bin with a smaller share of the pixels gets no dot: it would say more than it knows."""


def losses(rows: Sequence[Mapping[str, object]]) -> Markup:
    """The losses over the epochs."""
    return svg("Loss of train and val over the epochs", lambda axes: plot_losses(axes, rows))


def ious(rows: Sequence[Mapping[str, object]]) -> Markup:
    """The IoUs over the epochs."""
    return svg("IoU on val over the epochs", lambda axes: plot_ious(axes, rows))


def sweep(found: Sweep, threshold: float) -> Markup:
    """IoU, Dice, precision and recall against the threshold; the run's own as a dashed line."""

    def draw(axes: Axes) -> None:
        axes.axvline(threshold, color=FAINT, linestyle="--", linewidth=1)
        precise = np.where(found.recall > 0, found.precision, np.nan)  # of no water it says nothing
        axes.plot(THRESHOLDS, precise, color=INK, linestyle=":", label="precision")
        axes.plot(THRESHOLDS, found.recall, color=INK, linewidth=1, label="recall")
        axes.plot(THRESHOLDS, found.dice, color=BLUE, linewidth=1.8, label="Dice")
        axes.plot(THRESHOLDS, found.iou, color=ORANGE, linewidth=1.8, label="IoU")
        best = found.best
        axes.plot(THRESHOLDS[best], found.iou[best], "o", color=ORANGE, markersize=7)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.set_xlabel("threshold on the probability of water")
        dress(axes, f"best IoU {found.iou[best]:.3f} at {THRESHOLDS[best]:.2f}")

    return svg("IoU, Dice, precision and recall against the threshold", draw)


def calibration(found: Calibration) -> Markup:
    """Reliability diagram: how often water is there, against how probable it was said to be."""

    def draw(axes: Axes) -> None:
        share = np.nan_to_num(found.weight)
        width = 1 / len(share)
        centres = (np.arange(len(share)) + 0.5) * width
        axes.bar(centres, share, 0.9 * width, color=FAINT, alpha=0.6, label="share of pixels")
        axes.plot([0, 1], [0, 1], color=FAINT, linestyle="--", linewidth=1)
        full = share > FEW
        axes.plot(
            found.predicted[full],
            found.observed[full],
            color=ORANGE,
            linewidth=1.8,
            marker="o",
            markersize=4,
            label="water observed",
        )
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.set_xlabel("predicted probability of water")
        dress(axes, f"expected calibration error {found.error:.3f}")

    return svg("Observed share of water against its predicted probability", draw)


def fractions(numbers: Numbers) -> Markup:
    """Each picture's predicted water fraction against the true one."""

    def draw(axes: Axes) -> None:
        hits, false_water, missed, rest = numbers.counts[:, :4].T
        pixels = hits + false_water + missed + rest
        axes.plot([0, 1], [0, 1], color=FAINT, linestyle="--", linewidth=1)
        true, predicted = (hits + missed) / pixels, (hits + false_water) / pixels
        style = {"color": BLUE, "alpha": 0.7, "markersize": 6, "markeredgewidth": 0}
        axes.plot(true, predicted, "o", **style, clip_on=False)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1.0))
        axes.set_xlabel("true water fraction")
        axes.set_ylabel("predicted")
        pictures = "1 picture" if len(true) == 1 else f"{len(true)} pictures"
        dress(axes, f"{pictures}, mean {abs(predicted - true).mean():.1%} off")

    return svg("Predicted against true water fraction, one dot per picture", draw)


def svg(
    description: str, draw: Callable[[Axes], None], size_in: tuple[float, float] = SIZE_IN
) -> Markup:
    """An SVG element of its own width, with text as text, for a page that defines its colours."""
    figure = Figure(figsize=size_in, layout="constrained")
    draw(figure.subplots())
    text = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": description}):
        figure.savefig(text, format="svg", metadata=nothing, transparent=True)
    body = text.getvalue().partition("<svg")[2]
    for colour, name in COLOURS.items():
        body = body.replace(colour, f"var(--{name})")
    opening, _, rest = body.partition(">")
    opening = re.sub(r' (width|height)="[^"]*"', "", opening)
    rest = re.sub(r'<g id="[^"]+">', "<g>", rest)  # the same names in every plot
    return Markup(f'<svg role="img" aria-label="{escape(description)}"{opening}>{rest}')
