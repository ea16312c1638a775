"""Which library builds engines here: TensorRT, or TensorRT for RTX."""

from __future__ import annotations

import importlib
from typing import Any

from runtime import jetson
from runtime.engine_versions import Dialect, dialect_of
from runtime.errors import BackendError
from runtime.gpu import Gpu, current_gpu
from runtime.jetson import is_jetson
from runtime.manifest_parts import EngineBinding

LIBRARIES = {"tensorrt": "tensorrt", "tensorrt-rtx": "tensorrt_rtx"}
"""What the command line calls a builder, and the module it is in."""


def find_builder(name: str = "auto") -> tuple[Any, Dialect, Gpu | None]:
    """An installed builder that can work here: its module, its dialect, and the GPU.

    name: of LIBRARIES, or "auto" for the first that needs nothing that is missing here, where a
    GPU counts as needed. Raises BackendError with what is missing.
    """
    gpu = current_gpu()
    missing: list[str] = []
    for choice in LIBRARIES if name == "auto" else (name,):
        if choice not in LIBRARIES:
            raise BackendError(f"no builder '{choice}'; choose from: auto, {', '.join(LIBRARIES)}")
        trt = load_library(LIBRARIES[choice])
        if trt is None:
            missing.append(f"{choice} is not installed")
            continue
        dialect = dialect_of(LIBRARIES[choice], trt.__version__)
        if gpu is None and (dialect.needs_gpu or name == "auto"):
            missing.append(f"{choice} found no NVIDIA GPU")
            continue
        return trt, dialect, gpu
    advice = "build it on the device with: flood-runtime build MODEL.onnx"
    raise BackendError(
        f"no engine can be built here: {', '.join(missing)}; "
        f"{jetson.ADVICE if is_jetson() else advice}"
    )


def library_of(bound: EngineBinding) -> tuple[str, Any] | None:
    """The builder of an engine's own library, else any other, which says what differs: its name and
    its module; None where there is none."""
    for name in sorted(LIBRARIES, key=lambda name: LIBRARIES[name] != bound.library):
        if (trt := load_library(LIBRARIES[name])) is not None:
            return name, trt
    return None


def load_library(module: str) -> Any | None:
    """The module of a builder, None where it is not installed or does not load."""
    try:
        trt = importlib.import_module(module)
    except (ImportError, OSError):
        return None
    # Type stubs alone also import, as an empty package.
    return trt if hasattr(trt, "__version__") else None
