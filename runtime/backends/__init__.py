"""What runs an artefact. A backend is one method and a context manager, nothing else.

One table says which backend runs which artefacts, and which of them is fastest. A backend's
library is imported only when that backend is loaded.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from runtime import jetson
from runtime.errors import BackendError
from runtime.gpu import current_gpu
from runtime.jetson import is_jetson

if TYPE_CHECKING:
    from typing_extensions import Self

    from runtime.manifest import Manifest


class Backend(Protocol):
    """Runs one artefact. Concurrent calls are safe: they wait for one another."""

    name: str
    """The backend and what it runs on, as shown to people: "onnxruntime (CPU)"."""
    in_flight: int
    """Calls that run at once; more wait."""

    def infer(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Logits of a batch.

        inputs: (N, h, w, 3) uint8 RGB, C-contiguous. Returns (N, 1, h, w) float32 in memory that
        the caller owns: a later call never changes an earlier result. Raises BackendError for a
        batch the artefact does not take, and after close.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Where a backend lives, which artefacts it runs, and how to get what it needs.

    automatic: whether "auto" may take it. overlaps: whether it can run several calls at once.
    needs_gpu: whether its library is imported only where there is an NVIDIA GPU.
    """

    module: str
    class_name: str
    suffixes: tuple[str, ...]
    extra: str
    automatic: bool = True
    overlaps: bool = False
    needs_gpu: bool = False


BACKENDS: dict[str, Entry] = {
    "tensorrt": Entry(
        module="runtime.backends.tensorrt",
        class_name="TensorRtBackend",
        suffixes=(".engine",),
        extra="tensorrt",
        needs_gpu=True,
    ),
    "onnxruntime-cuda": Entry(
        module="runtime.backends.onnxruntime_cuda",
        class_name="OnnxRuntimeCudaBackend",
        suffixes=(".onnx",),
        extra="gpu",
        needs_gpu=True,
    ),
    "openvino": Entry(
        module="runtime.backends.openvino",
        class_name="OpenVinoBackend",
        suffixes=(".onnx",),
        extra="openvino",
        overlaps=True,
    ),
    "onnxruntime": Entry(
        module="runtime.backends.onnxruntime",
        class_name="OnnxRuntimeBackend",
        suffixes=(".onnx",),
        extra="cpu",
        overlaps=True,
    ),
    "fake": Entry(
        module="runtime.backends.fake",
        class_name="FakeBackend",
        suffixes=(".onnx", ".engine"),
        extra="cpu",
        automatic=False,
        overlaps=True,
    ),
}
"""Every backend, fastest first: "auto" takes the first that gives the right answer."""


def candidates(path: Path) -> list[str]:
    """The backends that run this kind of artefact, fastest first. Raises BackendError."""
    names = [name for name, entry in BACKENDS.items() if path.suffix in entry.suffixes]
    if not names:
        suffixes = sorted({suffix for entry in BACKENDS.values() for suffix in entry.suffixes})
        raise BackendError(
            f"no backend runs {path.name}; wanted a file ending in {' or '.join(suffixes)}: "
            "make one with 'python -m export'"
        )
    return names


def load_backend(
    path: Path, manifest: Manifest, backend: str = "auto", in_flight: int = 1
) -> Backend:
    """Loads an artefact into a backend, named or "auto" (see runtime.backends.choice).

    in_flight: calls to run at once, where the backend can.
    Raises BackendError when the backend is unknown or does not run this kind of artefact, when its
    library or its GPU is missing or does not work; ModelError when the artefact cannot be loaded or
    does not fit its manifest.
    """
    names = candidates(path)
    if backend == "auto":
        from runtime.backends.choice import choose

        return choose(path, manifest, in_flight).backend
    if backend not in BACKENDS:
        raise BackendError(f"unknown backend '{backend}'; choose from: auto, {', '.join(BACKENDS)}")
    if backend not in names:
        raise BackendError(
            f"backend '{backend}' does not run {path.suffix} files; "
            f"choose from: auto, {', '.join(names)}"
        )
    entry = BACKENDS[backend]
    if entry.needs_gpu and current_gpu() is None:
        raise no_gpu(backend)
    options = {"in_flight": in_flight} if entry.overlaps else {}
    loaded: Backend = _import_backend(backend, entry)(path, manifest, **options)
    return loaded


def _import_backend(name: str, entry: Entry) -> Any:
    try:
        return getattr(importlib.import_module(entry.module), entry.class_name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == "runtime":
            raise
        raise missing_library(name, error.name.split(".")[0], entry.extra) from error
    except ImportError as error:  # installed, but a shared library of it is not
        raise BackendError(f"backend '{name}' cannot be loaded: {error}") from error


def no_gpu(backend: str) -> BackendError:
    """The one sentence for a GPU backend on a machine without one."""
    return BackendError(f"backend '{backend}' needs an NVIDIA GPU and its driver, none is here")


def missing_library(name: str, library: str, extra: str) -> BackendError:
    """The one sentence for a library that is not installed."""
    advice = f"install it with: pip install 'flood-runtime[{extra}]'"
    if extra == "tensorrt" and is_jetson():
        advice = jetson.ADVICE if library == extra else jetson.CUDA_ADVICE
    return BackendError(
        f"backend '{name}' needs the library {library}, which is not installed; {advice}"
    )
