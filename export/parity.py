"""How far two backends differ on the same frames, as numbers, and how far they may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runtime.errors import ParityError
from runtime.processing import logit
from train.metrics import count_pixels, score


@dataclass(frozen=True, kw_only=True)
class Parity:
    """What separates a candidate's logits from the reference's.

    max_abs, mean_abs, q999_abs: largest, mean and 99.9 % quantile of the absolute difference of
    logits. flipped: share of pixels whose mask differs, 0 to 1. fraction_difference: largest
    difference of the water fraction in any one frame, 0 to 1. iou_drop: by how much the candidate's
    IoU with the true masks is below the reference's, 0 to 1; None without true masks.
    """

    frames: int
    max_abs: float
    mean_abs: float
    q999_abs: float
    flipped: float
    fraction_difference: float
    iou_drop: float | None


NAMES = {
    "max_abs": "largest logit difference",
    "mean_abs": "mean logit difference",
    "q999_abs": "99.9 % quantile of it",
    "flipped": "share of mask pixels that flip",
    "fraction_difference": "difference of the water fraction",
    "iou_drop": "loss of IoU with the true masks",
}
"""What people call these numbers, in the order in which they are shown."""

LIMITS: dict[str, dict[str, float]] = {
    "fp32": {
        "max_abs": 1e-3,
        "mean_abs": 1e-4,
        "flipped": 1e-4,
        "fraction_difference": 1e-4,
    },
    "fp16": {
        "max_abs": 0.2,
        "mean_abs": 0.01,
        "flipped": 1e-3,
        "fraction_difference": 1e-3,
    },
    "int8": {
        "flipped": 1e-2,
        "iou_drop": 5e-3,
    },
}
"""Precision of an artefact -> number -> what it may be at most, against PyTorch in float32."""

ADVICE = {
    "fp32": "do not use it: update torch and onnxscript, and export anew",
    "fp16": "use the FP32 graph (export without --fp16), or train longer: a mask that is still "
    "undecided flips where logits are near the threshold",
    "int8": "use the FP16 or FP32 graph (export without --int8), allow more with --max-drop, or "
    "calibrate on other photographs with --data",
}
"""Precision -> what to do about an artefact that breaks its limits."""


def compare(
    reference: NDArray[np.float32],
    candidate: NDArray[np.float32],
    threshold: float,
    truth: NDArray[np.bool_] | None = None,
) -> Parity:
    """The numbers for logits of the same frames, both (N, 1, h, w).

    threshold: a probability. truth: the true masks, (N, h, w).

    Logits that are not finite give numbers that are not finite, which no limit lets pass.
    """
    with np.errstate(invalid="ignore"):
        difference = np.abs(reference.astype(np.float64) - candidate)
    decision = logit(threshold)
    wet, wet_candidate = reference[:, 0] > decision, candidate[:, 0] > decision
    fractions = wet.mean(axis=(1, 2)) - wet_candidate.mean(axis=(1, 2))
    drop = None if truth is None else _iou(wet, truth) - _iou(wet_candidate, truth)
    return Parity(
        frames=len(reference),
        max_abs=float(difference.max()),
        mean_abs=float(difference.mean()),
        q999_abs=float(np.quantile(difference, 0.999)),
        flipped=float(np.mean(wet != wet_candidate)),
        fraction_difference=float(np.abs(fractions).max()),
        iou_drop=drop,
    )


def numbers(parity: Parity) -> dict[str, float]:
    """Name -> value of everything that was measured, in the order in which it is shown."""
    measured = {name: getattr(parity, name) for name in NAMES}
    return {name: value for name, value in measured.items() if value is not None}


def at_least_a_pixel(
    limits: Mapping[str, float], frames: int, size: tuple[int, int]
) -> dict[str, float]:
    """The limits for so many frames of a (height, width): a share of pixels that is allowed at all
    is no less than one of them. In a small frame one alone is more than the limit of FP32, and a
    logit that is almost the threshold may fall on either side."""
    pixel = 1.01 / (size[0] * size[1])  # for the rounding of means
    smallest = {"flipped": pixel / frames, "fraction_difference": pixel}
    return {
        name: max(limit, smallest.get(name, limit)) if limit > 0 else limit
        for name, limit in limits.items()
    }


def within(parity: Parity, limits: Mapping[str, float]) -> bool:
    """Whether no number is above its limit."""
    return all(getattr(parity, name) <= limit for name, limit in limits.items())


def check(parity: Parity, limits: Mapping[str, float], artefact: str) -> None:
    """Raises ParityError that names the first number above its limit."""
    for name, limit in limits.items():
        value: float = getattr(parity, name)
        if not value <= limit:  # also true for NaN
            raise ParityError(
                f"{artefact} differs from PyTorch by more than allowed: {NAMES[name]} is "
                f"{value:.3g}, the limit is {limit:.3g}"
            )


def _iou(masks: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return score(count_pixels(masks, truth)).iou
