"""Where a measurement was made: the device, and the libraries that it depends on."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from runtime.doctor_machine import find_device
from runtime.gpu import current_gpu

LIBRARIES = ("torch", "onnxruntime", "openvino", "tensorrt", "tensorrt-rtx", "numpy")
"""Names of packages; the opencv in use names itself."""


def describe_device() -> str:
    """The computer and, where there is one, its GPU."""
    gpu = current_gpu()
    device = find_device(Path("/")).text
    return f"{device}, {gpu.name} with {gpu.driver_text}" if gpu else device


def measuring_tools() -> dict[str, str]:
    """Library -> version, of those that are installed."""
    import cv2

    found = {"opencv": cv2.__version__}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
