"""Text files of one line per frame: the log for machines, the table for people."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from pathlib import Path
from typing import Any

from runtime.counts import Counts
from runtime.observe import Observation
from runtime.sinks.growing import GrowingFile, make_way

CSV_HEADER = "index,name,timestamp_s,water_fraction,dropped,failed\r\n"


class RotatedLines:
    """Lines in PATH; when it is full it becomes PATH.1, what was that PATH.2, and so on.

    Lines of an earlier run are kept in the same way. No line is ever torn or lost between files.
    """

    def __init__(self, path: Path, max_bytes: int, keep: int, header: str = "") -> None:
        """keep: how many full files are kept beside PATH. Raises SinkError."""
        self._path, self._max_bytes, self._keep = path, max_bytes, keep
        self._header = header.encode()
        # A pipe or /dev/stdout is written to, never renamed.
        self._rotates = not path.is_symlink() and (path.is_file() or not path.exists())
        self._file = self._begin()

    def append(self, line: str) -> None:
        """Raises SinkError."""
        content = line.encode()
        size = self._file.size
        full = size > 0 and size + len(content) > self._max_bytes
        if self._file.closed or (full and self._rotates):
            self._file.close()
            self._file = self._begin()
        self._file.append(content if self._file.size else self._header + content)

    def _begin(self) -> GrowingFile:
        if self._rotates and self._path.is_file() and self._path.stat().st_size:
            make_way(self._path, self._keep)
        return GrowingFile(self._path)

    def sync(self) -> None:
        if not self._file.closed:
            self._file.sync()

    def close(self) -> None:
        """A file without any line is not left behind."""
        self._file.close()
        if self._rotates and self._file.size == 0:
            with contextlib.suppress(OSError):
                self._path.unlink()


class FrameLog:
    """frames.jsonl: index, name, timestamp_s, water_fraction, ms per stage, counts and gaps so far.

    The first line after a live source was away has "gap": its start_s, duration_s and reason. The
    last line of a run that came to its end has "summary" alone: its totals.

    Each line is written whole and at once, so that a reader may follow the file as it grows.
    """

    name = "log"

    def __init__(self, path: Path, max_bytes: int, keep: int) -> None:
        self._lines = RotatedLines(path, max_bytes, keep)
        self._gaps = 0

    def write(self, observation: Observation, counts: Counts) -> None:
        frame = observation.frame
        line: dict[str, Any] = {
            "index": frame.index,
            "name": frame.name,
            "timestamp_s": round(frame.timestamp_s, 6),
            "water_fraction": round(observation.water_fraction, 6),
            "ms": {stage: round(ms, 3) for stage, ms in observation.stage_ms.items()},
            **self._totals(counts),
        }
        self._lines.append(json.dumps(line, ensure_ascii=True) + "\n")

    def _totals(self, counts: Counts) -> dict[str, Any]:
        """The counts, and the latest gap where no line has it yet."""
        totals = counts.totals()
        if counts.last_gap is not None and counts.gaps > self._gaps:
            totals["gap"] = counts.last_gap.plain()
        self._gaps = counts.gaps
        return totals

    def flush(self) -> None:
        self._lines.sync()

    def end(self, counts: Counts) -> None:
        """A run without frames leaves no log behind."""
        if counts.seen or counts.gaps:
            self._lines.append(json.dumps({"summary": self._totals(counts)}) + "\n")

    def close(self) -> None:
        self._lines.close()


class FrameTable:
    """A row per frame as CSV (RFC 4180) with a header line, for spreadsheets. It has no summary:
    a table has rows of one kind."""

    name = "csv"

    def __init__(self, path: Path, max_bytes: int, keep: int) -> None:
        self._lines = RotatedLines(path, max_bytes, keep, CSV_HEADER)

    def write(self, observation: Observation, counts: Counts) -> None:
        frame = observation.frame
        fields = (
            frame.index,
            frame.name,
            f"{frame.timestamp_s:.6f}",
            f"{observation.water_fraction:.6f}",
            counts.dropped,
            counts.failed,
        )
        line = io.StringIO()
        csv.writer(line).writerow(fields)
        self._lines.append(line.getvalue())

    def flush(self) -> None:
        self._lines.sync()

    def end(self, counts: Counts) -> None:
        return None

    def close(self) -> None:
        self._lines.close()
