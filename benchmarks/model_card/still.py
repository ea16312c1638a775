"""A scene in which nothing moves: how far the water fraction moves from frame to frame."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from runtime.model import Model
from runtime.observe import observe
from runtime.sources import open_source
from train.console import console
from train.samples import Samples
from train.scenes import describe, render

ALLOWED = 0.005
SCENES, FIRST_SEED, SIZE = 8, 78_000_000, (720, 1280)
FRAMES, FPS = 40, 10
NOISE = 6.0
"""Standard deviation of the sensor's noise in grey levels of 255: a small camera at dusk."""
RATE_FACTOR = 30
"""x264's quality; surveillance cameras compress about so."""


def measure_still(model: Model, photographs: Samples | None) -> dict[str, dict[str, Any]]:
    """Kind of scene -> the change of the water fraction from one frame to the next."""
    scenes = (render(describe(FIRST_SEED + number), SIZE).image for number in range(SCENES))
    found = {"generated scenes": _summary(model, scenes)}
    if photographs is not None:
        of_cameras = (_of_camera(photographs[index].image) for index in range(len(photographs)))
        found["photographs"] = _summary(model, of_cameras)
    return found


def _summary(model: Model, pictures: Iterable[NDArray[np.uint8]]) -> dict[str, Any]:
    changes = []
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "still.mp4"
        shown = track(pictures, "still scenes", console=console, transient=True)
        for number, picture in enumerate(shown):
            write_still(film, picture, number)
            with open_source(str(film)) as source:
                fractions = [observe(frame, model).water_fraction for frame in source]
            changes.append(np.abs(np.diff(fractions)))
    largest = [round(float(change.max()), 6) for change in changes]
    return {
        "scenes": len(changes),
        "median": round(float(np.median(np.concatenate(changes))), 6),
        "largest": max(largest),
        "above": sum(change > ALLOWED for change in largest),
        "largest of each scene": largest,
    }


def _of_camera(photograph: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """As large as a camera's picture at most, with even sides, which H.264 wants."""
    scale = min(1.0, *(most / side for most, side in zip(SIZE, photograph.shape, strict=False)))
    height, width = (2 * int(side * scale / 2) for side in photograph.shape[:2])
    return cv2.resize(photograph, (width, height), interpolation=cv2.INTER_AREA)


def write_still(path: Path, image: NDArray[np.uint8], seed: int) -> None:
    """A film of one picture, (H, W, 3) uint8 RGB, with new noise in every frame, as H.264."""
    noise = np.random.default_rng(seed)
    with av.open(path, "w") as container:
        stream: Any = container.add_stream("libx264", rate=FPS, options={"crf": str(RATE_FACTOR)})
        stream.height, stream.width = image.shape[:2]
        stream.pix_fmt = "yuv420p"
        for index in range(FRAMES):
            grain = noise.normal(0, NOISE, image.shape[:2])[..., np.newaxis]
            grain = grain + noise.normal(0, NOISE / 2, image.shape)
            picture = np.clip(image + grain, 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
