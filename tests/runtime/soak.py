"""Run after run in one process: python -m tests.runtime.soak MODEL FOLDER TIMES SOURCE SOURCE.

Prints one line of JSON per run: resident megabytes, threads and open files, and what each source
gave.
"""

from __future__ import annotations

import gc
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from runtime.cameras import open_cameras, run_cameras
from runtime.model import load_model
from runtime.sinks import Outputs
from runtime.stopping import Stop


@dataclass(frozen=True)
class Footprint:
    """What a process holds of the machine."""

    resident_mb: float
    threads: int
    files: int


def footprint(process: int | str = "self") -> Footprint:
    """Raises OSError where the process has ended."""
    about = Path("/proc") / str(process)
    words = (about / "status").read_text().split()
    resident_kb, threads = (int(words[words.index(key) + 1]) for key in ("VmRSS:", "Threads:"))
    return Footprint(resident_kb * 1024 / 1e6, threads, len(list((about / "fd").iterdir())))


def main(model_path: Path, folder: Path, times: int, *sources: str) -> None:
    outputs = Outputs(
        video=folder / "overlay.mp4",
        masks=folder / "masks",
        log=folder / "frames.jsonl",
        csv=folder / "frames.csv",
        log_max_mb=0.1,
        log_keep=3,
    )
    for _ in range(times):
        with (
            load_model(model_path, "fake") as model,
            open_cameras(sources, outputs, show=False) as (cameras, look),
        ):
            assert run_cameras(cameras, model, Stop(), look)
        frames = [camera.summary()["frames"] for camera in cameras]
        del model, cameras, look
        gc.collect()
        print(json.dumps({**asdict(footprint()), "sources": frames}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
