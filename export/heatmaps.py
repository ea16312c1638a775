"""The frames in which an artefact differs most, as pictures that show where."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.certificate import WorstFrame
from runtime.files import write_bytes
from runtime.processing import logit

COUNT = 3
CAPTION = 22
"""Height of the line of text below a picture, in pixels."""
GAP = 4


def worst_frames(
    reference: NDArray[np.float32], candidate: NDArray[np.float32], threshold: float
) -> list[tuple[int, float, float]]:
    """The frames that differ most, worst first: number, share of flipped pixels, largest logit
    difference. Both (N, 1, h, w)."""
    with np.errstate(invalid="ignore"):
        difference = np.nan_to_num(np.abs(reference - candidate).max(axis=(1, 2, 3)), nan=np.inf)
    decision = logit(threshold)
    flipped = ((reference > decision) != (candidate > decision)).mean(axis=(1, 2, 3))
    order = sorted(range(len(reference)), key=lambda n: (-flipped[n], -difference[n]))
    return [(n, float(flipped[n]), float(difference[n])) for n in order[:COUNT]]


def write_heatmaps(
    folder: Path,
    inputs: NDArray[np.uint8],
    names: tuple[str, ...],
    reference: NDArray[np.float32],
    candidate: NDArray[np.float32],
    threshold: float,
) -> tuple[WorstFrame, ...]:
    """Writes a PNG for each of the worst frames: input, PyTorch's mask, the artefact's mask with
    flipped pixels in red, and the logit difference as heat. inputs: (N, h, w, 3) uint8 RGB.

    Raises SinkError.
    """
    written = []
    for place, (number, flipped, largest) in enumerate(
        worst_frames(reference, candidate, threshold), start=1
    ):
        picture = draw(inputs[number], reference[number, 0], candidate[number, 0], threshold)
        path = folder / f"worst-{place}.png"
        write_bytes(path, cv2.imencode(".png", picture)[1].tobytes())
        written.append(
            WorstFrame(name=names[number], flipped=flipped, max_abs=largest, picture=path.name)
        )
    return tuple(written)


def draw(
    picture: NDArray[np.uint8],
    reference: NDArray[np.float32],
    candidate: NDArray[np.float32],
    threshold: float,
) -> NDArray[np.uint8]:
    """One row of four panels, BGR. picture: (h, w, 3) uint8 RGB; logits (h, w)."""
    decision = logit(threshold)
    masks = [(logits > decision).astype(np.uint8) * 255 for logits in (reference, candidate)]
    wanted, made = (cv2.cvtColor(mask, cv2.COLOR_GRAY2BGR) for mask in masks)
    made[masks[0] != masks[1]] = (0, 0, 255)
    with np.errstate(invalid="ignore"):
        difference = np.nan_to_num(np.abs(reference - candidate), nan=1e6, posinf=1e6)
    largest = float(difference.max())
    heat = (difference / max(largest, 1e-12) * 255).astype(np.uint8)
    panels = [
        (cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), "input"),
        (wanted, "PyTorch"),
        (made, "artefact; red: flipped"),
        (cv2.applyColorMap(heat, cv2.COLORMAP_INFERNO), f"logits differ, to {largest:.2g}"),
    ]
    return np.hstack([_captioned(panel, text) for panel, text in panels])


def _captioned(panel: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
    framed = cv2.copyMakeBorder(panel, 0, CAPTION, 0, GAP, cv2.BORDER_CONSTANT, value=(255,) * 3)
    place = (2, framed.shape[0] - 7)
    cv2.putText(framed, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    return np.asarray(framed, np.uint8)
