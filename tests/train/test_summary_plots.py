from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from train.summary import plots
from train.summary.numbers import THRESHOLDS, Sweep


def test_where_nothing_is_called_water_precision_is_not_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would jump to 1 and look like a threshold worth taking."""
    axes = Figure().subplots()
    monkeypatch.setattr(plots, "svg", lambda _, draw: draw(axes))
    recall = np.where(THRESHOLDS < 0.8, 0.5, 0.0)
    precision = np.where(THRESHOLDS < 0.8, 0.7, 1.0)
    plots.sweep(Sweep(iou=recall, dice=recall, precision=precision, recall=recall), 0.5)
    (line,) = (line for line in axes.lines if line.get_label() == "precision")
    drawn = np.asarray(line.get_ydata(), float)
    assert np.nanmax(drawn) == 0.7
    assert np.isnan(drawn).sum() == (recall == 0).sum()
