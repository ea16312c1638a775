"""The ranges that 8-bit activations have to cover, measured on training pictures."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationMethod
from onnxruntime.quantization.calibrate import CalibrationDataReader, create_calibrator
from rich.progress import track

from export.graph import to_bytes
from export.int8 import Kind
from runtime.manifest import INPUT_NAME
from train.console import console, quiet

COUNT = 48
"""Pictures to calibrate on; more changed no range of a trained network by more than noise."""
EVERY_METHOD: dict[str, tuple[Any, dict[str, Any]]] = {
    "mean": (CalibrationMethod.MinMax, {"moving_average": True}),
    "minmax": (CalibrationMethod.MinMax, {}),
    "percentile": (CalibrationMethod.Percentile, {"percentile": 99.99}),
    "entropy": (CalibrationMethod.Entropy, {"num_bins": 2048, "num_quantized_bins": 128}),
}
"""How a range is drawn from what was seen: from the extremes of each picture on average, from the
extremes of all, and from histograms of the values."""
METHODS = ("mean", "minmax")
"""Those tried at every export, where measuring decides; docs/quantisation.md has them all."""


class Frames(CalibrationDataReader):  # type: ignore[misc]
    """Gives the calibrator frames one by one."""

    def __init__(self, frames: Iterable[NDArray[np.uint8]]) -> None:
        self._frames = iter(frames)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        frame = next(self._frames, None)
        return None if frame is None else {INPUT_NAME: frame[np.newaxis]}


def calibrate(graph: onnx.ModelProto, inputs: NDArray[np.uint8], method: str, kind: Kind) -> Any:
    """ONNX Runtime's TensorsData: the range of every activation that will have 8 bits.

    inputs: (N, h, w, 3) uint8 RGB. method: of EVERY_METHOD.
    """
    drawn, options = EVERY_METHOD[method]
    # ONNX Runtime's calibrator prints a line per frame on stdout, which is kept for results.
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        path = Path(folder) / "model.onnx"
        path.write_bytes(to_bytes(graph))
        calibrator = create_calibrator(
            path,
            kind.operators,
            augmented_model_path=str(Path(folder) / "augmented.onnx"),
            calibrate_method=drawn,
            extra_options={"symmetric": kind.symmetric, **options},
        )
        frames = track(
            inputs, f"calibrating ({method})", console=console, transient=True, disable=quiet
        )
        if drawn is CalibrationMethod.MinMax:
            calibrator.collect_data(Frames(frames))
        else:
            # Before it makes histograms it keeps every layer's output of all frames it was given.
            for frame in frames:
                calibrator.collect_data(Frames([frame]))
        return calibrator.compute_data()
