"""Backends that are seen to give the right answer: the one that was named, or the fastest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from runtime.backends import BACKENDS, Backend, candidates, load_backend
from runtime.backends.batches import infer_any
from runtime.errors import BackendError, ModelError, ParityError
from runtime.golden import Golden, check_golden, read_golden
from runtime.gpu import current_gpu
from runtime.manifest import Manifest
from runtime.shipped import FOLDER
from runtime.stopping import end_if_asked

LARGEST_DIFFERENCE = 0.1
"""Two backends agree when their logits differ by less than this on average, in units of the
logits' own standard deviation: rounding to bfloat16 or INT8 stays below it."""


@dataclass(frozen=True)
class Choice:
    """A backend that gave the right answer, and one line for each faster one: why not that, or
    what it lacks."""

    backend: Backend
    passed_over: tuple[str, ...]


def choose(path: Path, manifest: Manifest, in_flight: int = 1) -> Choice:
    """Tries the backends for this artefact, fastest first, on a golden frame.

    Without golden frames a generated input is asked, and the answer compared with that of the next
    slower backend that runs. Raises ManifestError for damaged golden frames, ModelError or
    BackendError when no backend gives the right answer.
    """
    golden = read_golden(path, manifest)
    names = [name for name in candidates(path) if BACKENDS[name].automatic]
    errors: dict[str, Exception] = {}
    for position, name in enumerate(names):
        end_if_asked()
        try:
            slower = names[position + 1 :]
            backend = _load_proved(name, path, manifest, golden, slower, in_flight)
        except (BackendError, ModelError, ParityError) as error:
            errors[name] = error
            continue
        reasons = [f"passed over {name}: {errors[name]}" for name in errors]
        return Choice(backend, (*_engine_advice(path), *reasons))
    raise _none_left(path, errors)


def _engine_advice(graph: Path) -> Iterator[str]:
    """One line where TensorRT, the fastest backend of all, lacks nothing but an engine."""
    if graph.suffix != ".onnx" or list(graph.parent.glob("*.engine")):
        return
    library = find_spec("tensorrt")  # type stubs alone have no origin
    if library is not None and library.origin is not None and current_gpu() is not None:
        argument = "" if graph.parent == FOLDER else f" {graph}"
        yield f"tensorrt: no engine here; build one with: flood-runtime build{argument}"


def load_named(name: str, path: Path, manifest: Manifest, in_flight: int = 1) -> Backend:
    """This backend, asked a golden frame where there is one; the fake backend never is.

    Raises what load_backend does, ManifestError for damaged golden frames and ParityError for a
    wrong answer.
    """
    asked = name in BACKENDS and BACKENDS[name].automatic
    golden = read_golden(path, manifest) if asked else None
    return _load_proved(name, path, manifest, golden, None, in_flight)


def generated_input(manifest: Manifest) -> NDArray[np.uint8]:
    """The one input asked where there are no golden frames: (1, h, w, 3) uint8 RGB, colour that
    changes slowly over the picture, the same on every machine."""
    height, width = manifest.input_size
    rows = np.arange(height, dtype=np.uint32)[:, np.newaxis] * 255 // height
    columns = np.arange(width, dtype=np.uint32)[np.newaxis] * 255 // width
    planes = (rows + 0 * columns, columns + 0 * rows, (rows + columns) % 256)
    return np.stack(planes, axis=-1).astype(np.uint8)[np.newaxis]


def _load_proved(
    name: str,
    path: Path,
    manifest: Manifest,
    golden: Golden | None,
    slower: Sequence[str] | None,
    in_flight: int,
) -> Backend:
    """slower: backends to compare with where there are no golden frames; None for no proof."""
    backend = load_backend(path, manifest, name, in_flight)
    try:
        if golden is not None:
            check_golden(golden, manifest, lambda inputs: infer_any(backend, manifest, inputs), 1)
        elif slower is not None:
            _compare(backend, path, manifest, slower)
    except BaseException:
        backend.__exit__(None, None, None)
        raise
    return backend


def _compare(backend: Backend, path: Path, manifest: Manifest, slower: Sequence[str]) -> None:
    inputs = generated_input(manifest)
    logits = infer_any(backend, manifest, inputs)
    if not np.isfinite(logits).all():
        raise BackendError(
            f"{backend.name} gives logits that are not finite; export the model anew"
        )
    for name in slower:
        try:
            with load_backend(path, manifest, name) as reference:
                expected = infer_any(reference, manifest, inputs)
        except (BackendError, ModelError):
            continue  # nothing to compare with; the next one is asked
        difference = float(np.abs(logits - expected).mean())
        if difference > LARGEST_DIFFERENCE * float(expected.std()) + 1e-3:
            raise BackendError(
                f"{backend.name} and {reference.name} disagree by {difference:.3g} logits on the "
                "same input; update the library of the faster one"
            )
        return


def _none_left(path: Path, errors: dict[str, Exception]) -> Exception:
    """One error for all: what is wrong with the artefact, else what each backend lacks."""
    for error in reversed(errors.values()):
        if not isinstance(error, BackendError):
            return error
    if len(errors) == 1:
        return next(iter(errors.values()))
    reasons = "; ".join(f"{name}: {error}" for name, error in errors.items())
    return BackendError(f"no backend runs {path}: {reasons}")
