"""The ranges that 8-bit activations have to cover, measured on training pictures."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationMethod
from onnxruntime.quantization.calibrate import CalibrationDataReader, create_calibrator
from rich.progress import track

from export.graph import to_bytes
from runtime.manifest import INPUT_NAME
from train.console import console

COUNT = 48
"""Pictures to calibrate on; more changed no range of a trained network by more than noise."""
METHODS: dict[str, tuple[Any, dict[str, Any]]] = {
    "percentile": (CalibrationMethod.Percentile, {"percentile": 99.99}),
    "minmax": (CalibrationMethod.MinMax, {}),
    "entropy": (CalibrationMethod.Entropy, {"num_bins": 2048, "num_quantized_bins": 128}),
}
"""How a range is drawn from what was seen. Which one is used is decided by measuring all."""
QUANTISED = ("Conv", "ConvTranspose", "MaxPool")
"""Operators with 8-bit inputs; normalisation, concatenation and the logits stay in float32."""


class OneFrame(CalibrationDataReader):  # type: ignore[misc]
    """Gives the calibrator a single frame: all frames at once would keep every layer's output of
    every frame in memory."""

    def __init__(self, frame: NDArray[np.uint8]) -> None:
        self._frames: Iterator[dict[str, NDArray[np.uint8]]] = iter([{INPUT_NAME: frame}])

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        return next(self._frames, None)


def calibrate(
    graph: onnx.ModelProto, inputs: NDArray[np.uint8], method: str, *, symmetric: bool
) -> Any:
    """ONNX Runtime's TensorsData: the range of every activation that will have 8 bits.

    inputs: (N, h, w, 3) uint8 RGB. method: of METHODS. symmetric: ranges around zero.
    """
    kind, options = METHODS[method]
    # ONNX Runtime's calibrator prints a line per frame on stdout, which is kept for results.
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        path = Path(folder) / "model.onnx"
        path.write_bytes(to_bytes(graph))
        calibrator = create_calibrator(
            path,
            QUANTISED,
            augmented_model_path=str(Path(folder) / "augmented.onnx"),
            calibrate_method=kind,
            extra_options={"symmetric": symmetric, **options},
        )
        for index in track(
            range(len(inputs)), f"calibrating ({method})", console=console, transient=True
        ):
            calibrator.collect_data(OneFrame(inputs[index : index + 1]))
        return calibrator.compute_data()
