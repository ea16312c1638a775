"""From a frame to its mask, in three timed stages."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runtime.images import Frame
from runtime.model import Model
from runtime.processing import preprocess, to_mask, water_fraction


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


def observe(frame: Frame, model: Model) -> Observation:
    """Where the water is in one frame. Raises BackendError."""
    manifest = model.manifest
    start = time.perf_counter()
    inputs = preprocess(frame.image, manifest.input_size, manifest.resize)[np.newaxis]
    preprocessed = time.perf_counter()
    logits = model.infer(inputs)
    inferred = time.perf_counter()
    height, width = frame.image.shape[:2]
    mask = to_mask(logits[0, 0], (height, width), manifest.threshold)
    fraction = water_fraction(mask)
    done = time.perf_counter()
    return Observation(
        frame=frame,
        mask=mask,
        water_fraction=fraction,
        stage_ms={
            "read": frame.read_ms,
            "preprocess": (preprocessed - start) * 1e3,
            "infer": (inferred - preprocessed) * 1e3,
            "postprocess": (done - inferred) * 1e3,
        },
    )
