"""A long run in a process of its own: python -m tests.runtime.soak MODEL FOLDER FRAMES.

Prints one line of JSON per measurement: frames so far, resident megabytes, threads, open files.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from runtime.counts import Counts, Gaps
from runtime.images import Frame
from runtime.model import load_model
from runtime.observe import Observation
from runtime.pipeline import run_pipeline
from runtime.shared import SharedModel
from runtime.sinks import Outputs, Sinks, open_sinks
from runtime.sources import SourceInfo
from runtime.tally import Tally
from tests.runtime.conftest import scene

MASK_NAMES = 50
PARTS = 20


class Endless:
    """Tiny frames of changing water, and one in a thousand that fails."""

    def __init__(self, number: int) -> None:
        self.info = SourceInfo(uri="soak", live=False, fps=25.0, frame_count=number)
        self.seen, self.failed, self.dropped, self.gaps = 0, 0, dict[str, int](), Gaps()
        self._number = number
        self._images = [scene((24, 32), level / 10) for level in range(10)]

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self._number):
            self.seen += 1
            if index % 1000 == 999:
                self.failed += 1
                continue
            yield Frame(
                image=self._images[index % 10].copy(),
                index=index,
                timestamp_s=index / 25,
                name=f"{index % MASK_NAMES:06d}",
            )

    def __enter__(self) -> Endless:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class Watch(Sinks):
    """Measures the process every so many frames."""

    def __init__(self, sinks: Sinks, every: int) -> None:
        self.lanes, self._every = sinks.lanes, every

    def write(self, observation: Observation, counts: Counts) -> None:
        super().write(observation, counts)
        if counts.processed % self._every == 0:
            measure(counts.processed)


def measure(frames: int) -> None:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    numbers = {
        "frames": frames,
        "resident_mb": pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        "threads": threading.active_count(),
        "files": len(os.listdir("/proc/self/fd")),  # noqa: PTH208 -- the quickest
    }
    print(json.dumps(numbers), flush=True)


def main(model_path: Path, folder: Path, number: int) -> None:
    outputs = Outputs(
        video=folder / "overlay.mp4",
        masks=folder / "masks",
        log=folder / "frames.jsonl",
        csv=folder / "frames.csv",
        log_max_mb=1,
        log_keep=3,
    )
    source, tally = Endless(number), Tally()
    measure(0)
    with load_model(model_path, "fake") as model, open_sinks(outputs, source.info) as sinks:
        run_pipeline(source, SharedModel(model), Watch(sinks, number // PARTS), tally)
    measure(tally.counts.processed)
    assert tally.counts.seen == number, tally.counts
    assert tally.counts.under_way == 0, tally.counts


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
