"""What runs an artefact. A backend is one method and a context manager, nothing else.

The table maps an artefact's suffix to the backends that can run it. A backend's library is
imported only when that backend is loaded.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from runtime.errors import BackendError

if TYPE_CHECKING:
    from typing_extensions import Self

    from runtime.manifest import Manifest


class Backend(Protocol):
    """Runs one artefact. Not safe for concurrent calls: use one backend per thread."""

    name: str
    """The backend and what it runs on, as shown to people: "onnxruntime (CPU)"."""

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


@dataclass(frozen=True)
class Entry:
    """Where a backend lives, what it needs, and how to get that."""

    module: str
    class_name: str
    library: str
    extra: str


BACKENDS: dict[str, Entry] = {
    "onnxruntime": Entry(
        "runtime.backends.onnxruntime", "OnnxRuntimeBackend", "onnxruntime", "cpu"
    ),
    "fake": Entry("runtime.backends.fake", "FakeBackend", "numpy", "cpu"),
}
SUFFIXES: dict[str, tuple[str, ...]] = {".onnx": ("onnxruntime", "fake")}
"""Backends for an artefact's suffix, fastest first; "auto" takes the first."""


def load_backend(path: Path, manifest: Manifest, backend: str = "auto") -> Backend:
    """Loads an artefact into a backend, by the artefact's suffix or by name.

    Raises BackendError when the backend is unknown, does not run this kind of artefact, or its
    library is missing; ModelError when the artefact cannot be loaded or does not fit its manifest.
    """
    candidates = SUFFIXES.get(path.suffix)
    if candidates is None:
        raise BackendError(
            f"no backend runs {path.name}; wanted a file ending in {', '.join(SUFFIXES)}: "
            "make one with 'python -m export'"
        )
    name = candidates[0] if backend == "auto" else backend
    if name not in BACKENDS:
        raise BackendError(f"unknown backend '{name}'; choose from: auto, {', '.join(BACKENDS)}")
    if name not in candidates:
        raise BackendError(
            f"backend '{name}' does not run {path.suffix} files; "
            f"choose from: auto, {', '.join(candidates)}"
        )
    backend_class = _import_backend(name, BACKENDS[name])
    loaded: Backend = backend_class(path, manifest)
    return loaded


def _import_backend(name: str, entry: Entry) -> Any:
    try:
        return getattr(importlib.import_module(entry.module), entry.class_name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != entry.library.split(".")[0]:
            raise
        raise BackendError(
            f"backend '{name}' needs the library {entry.library}, which is not installed; "
            f"install it with: pip install 'flood-runtime[{entry.extra}]'"
        ) from error
