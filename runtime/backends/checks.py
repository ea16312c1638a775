"""What every backend checks: that an artefact fits its manifest, and a batch fits the artefact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from runtime.errors import BackendError, ModelError
from runtime.manifest import INPUT_NAME, OUTPUT_NAME, Manifest


@dataclass(frozen=True)
class Tensor:
    """An input or output that an artefact announces; a side of None means any size."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        sides = ", ".join("any" if side is None else str(side) for side in self.shape)
        return f"{self.name} {self.dtype} ({sides})"


def wanted_tensors(manifest: Manifest) -> tuple[Tensor, Tensor]:
    """The one input and the one output of an artefact that fits this manifest."""
    batch = manifest.batch or None
    height, width = (None, None) if manifest.dynamic_size else manifest.input_size
    return (
        Tensor(INPUT_NAME, "uint8", (batch, height, width, 3)),
        Tensor(OUTPUT_NAME, "float32", (batch, 1, height, width)),
    )


def check_tensors(
    path: Path, manifest: Manifest, inputs: Sequence[Tensor], outputs: Sequence[Tensor]
) -> None:
    """Raises ModelError unless the artefact takes and gives exactly what its manifest says.

    An output side of None is accepted: not every engine infers it before it runs.
    """
    wanted_input, wanted_output = wanted_tensors(manifest)
    fits = (
        len(inputs) == len(outputs) == 1
        and inputs[0] == wanted_input
        and (outputs[0].name, outputs[0].dtype) == (wanted_output.name, wanted_output.dtype)
        and _may_be(outputs[0].shape, wanted_output.shape)
    )
    if not fits:
        raise ModelError(
            f"{path} does not fit its manifest: it takes {_listed(inputs)} and gives "
            f"{_listed(outputs)}, wanted {wanted_input} and {wanted_output}; export the model anew"
        )


def check_batch(backend: str, manifest: Manifest, inputs: NDArray[np.uint8]) -> None:
    """Raises BackendError unless `inputs` is a batch that the artefact takes."""
    wanted, _ = wanted_tensors(manifest)
    came = Tensor(wanted.name, str(inputs.dtype), inputs.shape)
    if came.dtype != wanted.dtype or not _may_be(wanted.shape, came.shape) or len(inputs) == 0:
        raise BackendError(
            f"{backend} was given {came}, wanted {wanted}; "
            "make inputs with runtime.processing.preprocess"
        )


def closed(backend: str) -> BackendError:
    """The one sentence for a call after close."""
    return BackendError(f"{backend} is closed; load the model again")


def failed(backend: str, reason: str) -> BackendError:
    """The one sentence for a library that fails while it runs."""
    return BackendError(f"{backend} failed: {reason.strip()}; try another --backend")


def unloadable(library: str, path: Path, reason: str) -> ModelError:
    """The one sentence for an artefact that a library cannot load."""
    return ModelError(f"{library} cannot load {path} ({reason.strip()}); export the model anew")


def _may_be(announced: tuple[int | None, ...], actual: tuple[int | None, ...]) -> bool:
    return len(announced) == len(actual) and all(
        side is None or side == other for side, other in zip(announced, actual, strict=True)
    )


def _listed(tensors: Sequence[Tensor]) -> str:
    return " and ".join(str(tensor) for tensor in tensors) or "nothing"
