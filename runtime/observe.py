"""From a frame to its mask, in three timed stages that can run in three threads."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from runtime.images import Frame
from runtime.manifest import Manifest
from runtime.processing import preprocess, to_mask, water_fraction


class Network(Protocol):
    """What observes: a Model, or one that several cameras share."""

    @property
    def manifest(self) -> Manifest: ...

    @property
    def in_flight(self) -> int:
        """Calls of infer that run at once; more wait."""
        ...

    def infer(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, h, w, 3) uint8 RGB -> (N, 1, h, w) float32 logits. Raises BackendError."""
        ...


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A frame, and what the network sees of it: inputs, (1, h, w, 3) uint8 RGB.

    timestamp_s: the frame's. stage_ms: milliseconds per stage so far.
    """

    frame: Frame
    inputs: NDArray[np.uint8]
    timestamp_s: float
    stage_ms: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Inferred:
    """A frame, and what the network says of it: logits, (h, w) float32 at network size."""

    frame: Frame
    logits: NDArray[np.float32]
    stage_ms: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What one frame shows.

    mask: (H, W) bool at frame size, water is True. water_fraction: 0 to 1. stage_ms: milliseconds
    per stage, in the order in which the stages ran.
    """

    frame: Frame
    mask: NDArray[np.bool_]
    water_fraction: float
    stage_ms: dict[str, float]


def observe(frame: Frame, model: Network) -> Observation:
    """Where the water is in one frame. Raises BackendError."""
    return conclude(infer(prepare(frame, model.manifest), model), model.manifest)


def prepare(frame: Frame, manifest: Manifest) -> Prepared:
    """The first stage: geometry and colour."""
    start = time.perf_counter()
    inputs = preprocess(frame.image, manifest.input_size, manifest.resize)[np.newaxis]
    stage_ms = {"read": frame.read_ms, "preprocess": _since(start)}
    return Prepared(frame=frame, inputs=inputs, timestamp_s=frame.timestamp_s, stage_ms=stage_ms)


def infer(prepared: Prepared, model: Network) -> Inferred:
    """The second stage: the network. Raises BackendError."""
    start = time.perf_counter()
    logits = model.infer(prepared.inputs)[0, 0]
    stage_ms = {**prepared.stage_ms, "infer": _since(start)}
    return Inferred(frame=prepared.frame, logits=logits, stage_ms=stage_ms)


def conclude(inferred: Inferred, manifest: Manifest) -> Observation:
    """The third stage: the decision at frame size."""
    start = time.perf_counter()
    height, width = inferred.frame.image.shape[:2]
    mask = to_mask(inferred.logits, (height, width), manifest.threshold)
    fraction = water_fraction(mask)
    return Observation(
        frame=inferred.frame,
        mask=mask,
        water_fraction=fraction,
        stage_ms={**inferred.stage_ms, "postprocess": _since(start)},
    )


def _since(start: float) -> float:
    return (time.perf_counter() - start) * 1e3
