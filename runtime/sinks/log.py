"""The log of frames: one line of JSON per frame."""

from __future__ import annotations

import json
from pathlib import Path

from runtime.counts import Counts
from runtime.files import make_folder, unwritable
from runtime.observe import Observation


class FrameLog:
    """frames.jsonl: index, name, timestamp_s, water_fraction, ms per stage, drops so far.

    Each line is written whole and at once, so that a reader may follow the file as it grows.
    """

    name = "log"

    def __init__(self, path: Path) -> None:
        """Starts the file anew. Raises SinkError when it cannot be written."""
        self._path = path
        make_folder(path.parent)
        try:
            self._stream = path.open("w", encoding="utf-8", buffering=1)
        except OSError as error:
            raise unwritable(path, error) from error

    def write(self, observation: Observation, counts: Counts) -> None:
        line = json.dumps(
            {
                "index": observation.frame.index,
                "name": observation.frame.name,
                "timestamp_s": round(observation.frame.timestamp_s, 6),
                "water_fraction": round(observation.water_fraction, 6),
                "ms": {stage: round(ms, 3) for stage, ms in observation.stage_ms.items()},
                "dropped": counts.dropped,
                "failed": counts.failed,
            },
            ensure_ascii=True,
        )
        try:
            self._stream.write(line + "\n")
        except OSError as error:
            raise unwritable(self._path, error) from error

    def close(self) -> None:
        try:
            self._stream.close()
        except OSError as error:
            raise unwritable(self._path, error) from error
