"""The pictures of a report: image, true mask, predicted mask and error, as data URIs."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from runtime.processing import logit
from train.cache import Pictures
from train.compute import Compute
from train.metrics import each_boundary_f1, each_iou
from train.plots import WATER, tint
from train.summary.numbers import Numbers
from train.validate import predict

WORST = 10
PANELS = 6
FALSE_WATER, MISSED_WATER = (230, 74, 25), (255, 214, 0)
QUALITY = 80
"""Of WebP, which every browser shows and which takes half of what JPEG would."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One picture of val. image, true, predicted, error: data URIs. false_water and missed_water:
    shares of all its pixels. fraction: true and predicted share of water. All in 0-1."""

    name: str
    image: str
    true: str
    predicted: str
    error: str
    iou: float
    boundary_f1: float
    false_water: float
    missed_water: float
    true_fraction: float
    predicted_fraction: float

    @property
    def fault(self) -> str:
        """What is wrong in one number: the greater of the two errors."""
        if max(self.false_water, self.missed_water) == 0:
            return "no error"
        if self.false_water > self.missed_water:
            return f"false water {self.false_water:.1%}"
        return f"missed water {self.missed_water:.1%}"


def worst(numbers: Numbers) -> list[int]:
    """Indices of the ten pictures with the lowest IoU, the worst first."""
    return [int(index) for index in np.argsort(each_iou(numbers.counts), kind="stable")[:WORST]]


def spread(count: int) -> list[int]:
    """Indices of up to six pictures, evenly over all of them: neither the best nor the worst."""
    return [int(index) for index in np.linspace(0, count - 1, min(PANELS, count)).round()]


def rows(
    model: nn.Module,
    pictures: Pictures,
    chosen: Sequence[int],
    numbers: Numbers,
    compute: Compute,
    threshold: float,
) -> list[Row]:
    """The chosen pictures with their masks and errors, in that order."""
    return [
        _row(
            pictures.images[index],
            pictures.masks[index],
            _mask(model, pictures.images[index], compute, threshold),
            pictures.names[index],
            numbers.counts[index : index + 1],
        )
        for index in chosen
    ]


def _row(
    image: NDArray[np.uint8],
    true: NDArray[np.bool_],
    predicted: NDArray[np.bool_],
    name: str,
    counts: NDArray[np.int64],
) -> Row:
    hits, false_water, missed_water, _ = counts[0, :4] / true.size
    return Row(
        name=name,
        image=_data_uri(image),
        true=_data_uri(tint(image, true)),
        predicted=_data_uri(tint(image, predicted)),
        error=_data_uri(_error(image, true, predicted)),
        iou=float(each_iou(counts)[0]),
        boundary_f1=float(each_boundary_f1(counts)[0]),
        false_water=float(false_water),
        missed_water=float(missed_water),
        true_fraction=float(hits + missed_water),
        predicted_fraction=float(hits + false_water),
    )


def _mask(
    model: nn.Module, image: NDArray[np.uint8], compute: Compute, threshold: float
) -> NDArray[np.bool_]:
    logits = predict(model, image[np.newaxis], compute)[0, 0].cpu().numpy()
    return logits > np.float32(logit(threshold))


def _error(
    image: NDArray[np.uint8], true: NDArray[np.bool_], predicted: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """The picture in grey: water that was found is blue, false water red, missed water yellow."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., np.newaxis].astype(np.float32)
    shown = np.repeat(0.6 * grey + 0.35 * 255, 3, axis=2)
    for mask, colour, strength in (
        (true & predicted, WATER, 0.35),
        (~true & predicted, FALSE_WATER, 0.8),
        (true & ~predicted, MISSED_WATER, 0.8),
    ):
        shown[mask] = (1 - strength) * shown[mask] + strength * np.array(colour, np.float32)
    return shown.round().clip(0, 255).astype(np.uint8)


def _data_uri(picture: NDArray[np.uint8]) -> str:
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "WEBP", quality=QUALITY)
    return "data:image/webp;base64," + base64.b64encode(content.getvalue()).decode("ascii")
