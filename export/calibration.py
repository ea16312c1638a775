"""The ranges that 8-bit activations have to cover, measured on training pictures."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationMethod
from onnxruntime.quantization.calibrate import (
    CalibrationDataReader,
    TensorsData,
    create_calibrator,
)
from rich.progress import track

from export.graph import to_bytes
from export.int8 import KINDS
from runtime.manifest import INPUT_NAME
from train.console import console, quiet

COUNT = 48
"""Pictures to calibrate on; more changed no range of a trained network by more than noise."""
Draw = Callable[..., Any]
METHODS: dict[str, tuple[Draw, Draw]] = {
    "mean": (np.nanmean, np.nanmean),
    "minmax": (np.nanmin, np.nanmax),
}
"""How a range's ends are drawn from the extremes of each picture: on average, or the extremes of
all. Measuring decides at every export; docs/quantisation.md has other methods."""


class OneFrame(CalibrationDataReader):  # type: ignore[misc]
    """Gives the calibrator one frame."""

    def __init__(self, frame: NDArray[np.uint8]) -> None:
        self._frames = iter([{INPUT_NAME: frame[np.newaxis]}])

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        return next(self._frames, None)


def calibrate(graph: onnx.ModelProto, inputs: NDArray[np.uint8]) -> dict[str, Any]:
    """Method -> ONNX Runtime's TensorsData: the range of every activation that any kind has in 8
    bits. All methods look at the same pass over the frames, which is what takes time.

    graph: as rewritten for processors it has all activations of the other kind too, by the same
    names. inputs: (N, h, w, 3) uint8 RGB.
    """
    # ONNX Runtime's calibrator prints a line per frame on stdout, which is kept for results.
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        path = Path(folder) / "model.onnx"
        path.write_bytes(to_bytes(graph))
        calibrator = create_calibrator(
            path,
            KINDS["cpu"].operators,
            augmented_model_path=str(Path(folder) / "augmented.onnx"),
        )
        frames = track(inputs, "calibrating", console=console, transient=True, disable=quiet)
        seen = [_extremes(calibrator, frame) for frame in frames]
    return {method: _drawn(seen, *draws) for method, draws in METHODS.items()}


def _extremes(calibrator: Any, frame: NDArray[np.uint8]) -> dict[str, Any]:
    calibrator.calibrate_tensors_range = None  # or it would add this frame to those before
    calibrator.collect_data(OneFrame(frame))
    found = calibrator.compute_data().data
    return {name: found[name].range_value for name in found}


def _drawn(seen: list[dict[str, Any]], lowest: Draw, highest: Draw) -> Any:
    ranges = {
        name: (
            lowest([frame[name][0] for frame in seen], axis=0),
            highest([frame[name][1] for frame in seen], axis=0),
        )
        for name in seen[0]
    }
    return TensorsData(CalibrationMethod.MinMax, ranges)
