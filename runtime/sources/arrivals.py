"""How late the frames of a stream are that carries no times: MJPEG over HTTP."""

from __future__ import annotations

from collections import deque
from statistics import median

REMEMBERED = 15
"""Steps between frames whose median is the stream's pace: few, so that a camera that slows down at
night is soon believed."""
FEWEST = 5
"""Steps before there is a pace."""
STALLED = 3.0
"""A step this many times as long as the pace: what comes behind it was held back meanwhile."""
LIVE_STEPS = 2
"""So many steps together at the pace of the stream, and nothing waits any more."""
LIVE = 0.8
"""Which share of the pace counts as the pace."""


class ArrivalClock:
    """Lateness by counting: behind a stall, the frame that was due first comes first, and each one
    is due a step after the one before, until they come no faster than the camera takes them.

    A sender that leaves frames out meanwhile makes the first frames behind those that were held
    back look late as well, but not for longer than LIVE_STEPS.
    """

    def __init__(self) -> None:
        self._steps: deque[float] = deque(maxlen=REMEMBERED)
        self._recent: deque[float] = deque(maxlen=LIVE_STEPS)
        self._last_s: float | None = None
        self._due_s: float | None = None
        """When the latest frame should have come; None while frames come in time."""

    def lag(self, now_s: float) -> float:
        """Seconds by which the frame that comes now is late. now_s: a clock that never goes
        back."""
        last_s, self._last_s = self._last_s, now_s
        if last_s is None:
            return 0.0
        step_s = now_s - last_s
        pace_s = median(self._steps) if len(self._steps) >= FEWEST else None
        if pace_s is not None and self._due_s is None and step_s > STALLED * pace_s:
            self._due_s = last_s
            self._recent.clear()
        elif self._due_s is None or pace_s is None:
            self._steps.append(step_s)
            return 0.0
        else:
            self._recent.append(step_s)
        return self._late(now_s, self._due_s, pace_s)

    def _late(self, now_s: float, due_s: float, pace_s: float) -> float:
        self._due_s = due_s + pace_s
        live = len(self._recent) == LIVE_STEPS and sum(self._recent) >= LIVE_STEPS * LIVE * pace_s
        if live:
            self._steps.extend(self._recent)
        if live or now_s <= self._due_s:
            self._due_s = None
            return 0.0
        return now_s - self._due_s
