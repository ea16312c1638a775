"""Cameras at rivers: how much of their water is found, and how far it moves from frame to frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from runtime.errors import DataError
from runtime.model import Model
from runtime.observe import observe
from runtime.sources import open_source
from train.evaluate import count_samples
from train.metrics import each_iou
from train.samples import Samples


def measure_rivers(model: Model, frames: Samples) -> list[dict[str, Any]]:
    """Of each frame the share of water that is there and that is found, and the IoU.

    Raises DataError.
    """
    counts = count_samples(model, frames, "rivers")
    pixels = counts[:, :4].sum(axis=1)
    columns = {
        "name": [frames[index].name for index in range(len(frames))],
        "true": ((counts[:, 0] + counts[:, 2]) / pixels).round(4).tolist(),
        "found": ((counts[:, 0] + counts[:, 1]) / pixels).round(4).tolist(),
        "iou": each_iou(counts).round(4).tolist(),
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def measure_clips(model: Model, folder: Path) -> dict[str, dict[str, Any]]:
    """Of each film in a folder, or folder of frames in it: the water fraction on average, and how
    far it moves from one frame to the next. Raises DataError and SourceError."""
    films = sorted(folder.iterdir()) if folder.is_dir() else []
    if not films:
        raise DataError(f"{folder} holds no films; wanted films, or folders of their frames")
    found = {}
    for film in films:
        with open_source(str(film)) as source:
            fractions = np.array([observe(frame, model).water_fraction for frame in source])
        if len(fractions) < 2:
            raise DataError(f"{film} has {len(fractions)} frames; wanted at least two of a film")
        changes = np.abs(np.diff(fractions))
        found[film.name] = {
            "frames": len(fractions),
            "mean": round(float(fractions.mean()), 4),
            "median": round(float(np.median(changes)), 6),
            "largest": round(float(changes.max()), 6),
        }
    return found
