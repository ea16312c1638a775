"""A model: an artefact that fits its manifest, loaded into a backend and ready to run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from runtime.backends import Backend
from runtime.backends.batches import infer_any
from runtime.backends.choice import choose, load_named
from runtime.backends.cores import usable_cores
from runtime.gpu import current_gpu
from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest, verified_meanwhile

if TYPE_CHECKING:
    from typing_extensions import Self

ENGINE_SUFFIX = ".engine"
TWO_AT_ONCE = ("int8",)
"""Precisions whose frames go through the network two at a time where throughput counts. Each call
takes memory of its own, and with float weights the rest of a frame's work is 2 % of the network's.
"""


@dataclass(frozen=True)
class Model:
    """What turns inputs into logits, and the contract by which inputs are made and logits read.

    path: the artefact itself, where it is a file; an engine that was built anew has another name.
    remarks: one line for each faster backend that "auto" tried in vain, and one for an engine that
    was built under another driver.
    """

    manifest: Manifest
    backend: Backend
    path: Path | None = None
    remarks: tuple[str, ...] = ()

    @property
    def in_flight(self) -> int:
        """Calls of infer that run at once; more wait."""
        return self.backend.in_flight

    def infer(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Logits of any number of inputs, also where the artefact takes a fixed batch only.

        inputs: (N, h, w, 3) uint8 RGB at network size, N at least 1. Returns (N, 1, h, w) float32
        in memory that the caller owns. Safe for concurrent calls. Raises BackendError.
        """
        return infer_any(self.backend, self.manifest, inputs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.backend.__exit__(kind, error, trace)


def load_model(
    path: Path,
    backend: str = "auto",
    *,
    input_size: tuple[int, int] | None = None,
    rebuild: bool = True,
    throughput: bool = False,
) -> Model:
    """Verifies an artefact against its manifest and loads it into a backend.

    backend: a name, or "auto" for the fastest; both are asked a golden frame, where there is one.
    input_size: (height, width) to run at, for an artefact that was exported with --dynamic-size.
    rebuild: whether an engine that does not fit this machine is built anew from the graph beside
    it, which takes minutes. throughput: more frames per second are worth a longer wait for each,
    as for files; a processor then runs two INT8 frames at once. Raises ManifestError, DataError
    for a size that the network does not take, ModelError, BackendError or ParityError.
    """
    if rebuild and path.suffix == ENGINE_SUFFIX:
        from runtime.engine_renewal import fitting_engine  # engines alone need the builder

        path = fitting_engine(path)
    if path.suffix == ENGINE_SUFFIX:  # TensorRT may crash on a damaged one
        return _load(path, read_manifest(path), backend, input_size, throughput)
    with verified_meanwhile(path) as manifest:
        return _load(path, manifest, backend, input_size, throughput)


def _load(
    path: Path,
    manifest: Manifest,
    backend: str,
    input_size: tuple[int, int] | None,
    throughput: bool,
) -> Model:
    resized = manifest if input_size is None else manifest.at_size(input_size)
    two = throughput and manifest.precision in TWO_AT_ONCE
    in_flight = min(2, usable_cores()) if two else 1
    if backend != "auto":
        loaded = load_named(backend, path, manifest, in_flight)
        return Model(resized, loaded, path, _remarks(path, manifest))
    choice = choose(path, manifest, in_flight)
    return Model(resized, choice.backend, path, (*choice.passed_over, *_remarks(path, manifest)))


def _remarks(path: Path, manifest: Manifest) -> tuple[str, ...]:
    if manifest.engine is None:
        return ()
    from runtime.engine_binding import driver_remark  # engines alone need what is behind it

    remark = driver_remark(path, manifest, current_gpu())
    return (remark,) if remark else ()
