"""The model that ships with the program: real water masks before anything is trained."""

from __future__ import annotations

from pathlib import Path

from runtime.errors import ModelError

FOLDER = Path(__file__).parent / "models"
FILES = {
    "int8": "model.int8.onnx",
    "fp16": "model.fp16.onnx",
    "int8 for TensorRT": "model.int8.tensorrt.onnx",
}
"""INT8 for processors; two to build TensorRT engines from. All come from one checkpoint."""


def shipped_model(precision: str = "int8") -> Path:
    """The graph that ships, with its manifest, certificate and golden frames beside it.

    Raises ModelError where the installation is incomplete.
    """
    path = FOLDER / FILES[precision]
    if not path.is_file():
        raise ModelError(
            f"this installation lacks its own model ({path}); install flood-runtime again, "
            "or name a model with --model"
        )
    return path
