"""What a run has done so far: counts, frames per second, water, milliseconds per stage."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from runtime.counts import Counts
from runtime.errors import BackendError, FloodError, SourceError
from runtime.observe import Observation

RECENT_FRAMES = 30
"""The FPS that is shown while running is that of this many last frames."""


class Tally:
    """What a run has done so far, in constant memory however long it runs."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.failure: str | None = None
        self.water_fraction = 0.0
        self._started_s = time.perf_counter()
        self._ended_s: float | None = None
        self._recent_s: deque[float] = deque([self._started_s], maxlen=RECENT_FRAMES + 1)
        self._water_sum, self._water_low, self._water_high = 0.0, 1.0, 0.0
        self._stage_ms: dict[str, float] = {}

    def add(self, observation: Observation, counts: Counts) -> None:
        """Counts one finished observation."""
        self.counts = counts
        self.water_fraction = observation.water_fraction
        self._recent_s.append(time.perf_counter())
        self._water_sum += observation.water_fraction
        self._water_low = min(self._water_low, observation.water_fraction)
        self._water_high = max(self._water_high, observation.water_fraction)
        for stage, ms in observation.stage_ms.items():
            self._stage_ms[stage] = self._stage_ms.get(stage, 0.0) + ms

    def end(self, counts: Counts, failure: str | None) -> None:
        """The run is over. counts: its totals. failure: why the network failed on a frame, of
        late."""
        self.counts, self.failure = counts, failure
        self._ended_s = time.perf_counter()

    @property
    def recent_fps(self) -> float:
        """Frames per second of late."""
        span_s = self._recent_s[-1] - self._recent_s[0]
        return (len(self._recent_s) - 1) / span_s if span_s > 0 else 0.0

    def fault(self) -> FloodError | None:
        """What to tell when not every frame got its mask."""
        counts = self.counts
        if unread := counts.failures.get("unreadable"):
            return SourceError(f"{unread} of {counts.seen} frames could not be read")
        if counts.failed:
            return BackendError(
                f"the network failed on {counts.failed} of {counts.seen} frames: {self.failure}"
            )
        if counts.under_way:
            return FloodError(
                f"{counts.under_way} of {counts.seen} frames are not accounted for; this is a "
                "defect of flood-runtime: please report it with this run's log"
            )
        return None

    def summary(self) -> dict[str, Any]:
        """The whole run as plain values: frames, seconds, FPS, water, mean ms per stage."""
        counts = self.counts
        seconds = (self._ended_s or time.perf_counter()) - self._started_s
        number = counts.processed
        if number == 0:
            return {"frames": counts.totals(), "seconds": round(seconds, 3)}
        return {
            "frames": counts.totals(),
            "seconds": round(seconds, 3),
            "fps": round(number / seconds, 3),
            "water_fraction": {
                "mean": round(self._water_sum / number, 6),
                "low": round(self._water_low, 6),
                "high": round(self._water_high, 6),
            },
            "ms": {stage: round(ms / number, 3) for stage, ms in self._stage_ms.items()},
        }
