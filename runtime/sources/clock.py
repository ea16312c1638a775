"""When a stream's frames were taken: the container's clock laid onto ours."""

from __future__ import annotations

DRIFT = 0.1
"""Seconds per second by which a sender's clock may run slower than ours."""
JUMP_S = 5.0
"""A lag above this is taken for a jump in the container's timestamps, not for old frames."""
AHEAD_S = 30.0
"""The furthest that a frame may be held back to be shown in time."""


class StreamClock:
    """How late frames come, against the quickest of late: what a slow network has held back is old.

    The container's timestamps count only against each other. A burst of frames after a pause lags
    by the pause; a sender whose clock drifts or jumps does not lag.
    """

    def __init__(self) -> None:
        self._offset_s: float | None = None
        self._last_s = 0.0

    def lag(self, stamp_s: float, now_s: float) -> float:
        """Seconds by which this frame is late. now_s: a clock that never goes back."""
        offset_s = now_s - stamp_s
        if self._offset_s is None or not 0 < offset_s - self._offset_s < JUMP_S:
            self._offset_s = offset_s
        else:
            self._offset_s = min(offset_s, self._offset_s + DRIFT * (now_s - self._last_s))
        self._last_s = now_s
        return offset_s - self._offset_s

    def ahead(self, stamp_s: float, now_s: float) -> float:
        """Seconds until this frame's time has come, for containers that send in bursts (HLS)."""
        if self._offset_s is None:
            self._offset_s = now_s - stamp_s
        early_s = stamp_s + self._offset_s - now_s
        if not -JUMP_S < early_s < AHEAD_S:
            self._offset_s = now_s - stamp_s
            return 0.0
        return max(0.0, early_s)
