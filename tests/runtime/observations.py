"""Observations made up for sinks, and what comes of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from runtime.counts import Counts
from runtime.images import Frame
from runtime.observe import Observation
from runtime.sinks import Outputs, Sinks, open_sinks
from runtime.sources import SourceInfo, open_source
from tests.runtime.conftest import scene

INFO = SourceInfo(uri="clip.mp4", live=False, fps=10.0, frame_count=None)


def observation(
    index: int, timestamp_s: float, size: tuple[int, int] = (64, 96), water: float = 0.25
) -> Observation:
    mask = np.zeros(size, np.bool_)
    mask[round(size[0] * (1 - water)) :] = True
    frame = Frame(
        image=scene(size, water), index=index, timestamp_s=timestamp_s, name=f"{index:06d}"
    )
    return Observation(frame=frame, mask=mask, water_fraction=water, stage_ms={"infer": 1.5})


def write_all(outputs: Outputs, observations: list[Observation]) -> Sinks:
    with open_sinks(outputs, INFO) as sinks:
        for number, each in enumerate(observations, 1):
            counts = Counts(
                processed=number, reasons={"stale": 2 * number}, failures={"inference": 1}
            )
            sinks.write(each, counts)
    return sinks


def wait_until(true: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def images_of(video: Path) -> list[np.ndarray]:
    with open_source(str(video)) as source:
        return [frame.image for frame in source]
