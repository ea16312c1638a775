"""Every frame accounted for: seen = processed + dropped + failed; and every gap between them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

KEPT_GAPS = 100
"""Gaps that are remembered one by one; older ones only count."""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A time in which a live source gave nothing.

    start_s: Unix time of the last frame before it, or of the opening. duration_s: seconds until the
    next frame, or until the run ended. reason: what was noticed first.
    """

    start_s: float
    duration_s: float
    reason: str

    def plain(self) -> dict[str, Any]:
        """As plain values, for logs."""
        return {
            "start_s": round(self.start_s, 6),
            "duration_s": round(self.duration_s, 3),
            "reason": self.reason,
        }


class Gaps:
    """All gaps of a source so far, in constant memory however long it runs."""

    def __init__(self) -> None:
        self.number = 0
        self.away_s = 0.0
        self.recent: deque[Gap] = deque(maxlen=KEPT_GAPS)
        self._lock = threading.Lock()
        self._over: Callable[[], Gap] | None = None

    def begin(self, over: Callable[[], Gap]) -> None:
        """The source is away. over: gives the gap that it was, once it is over."""
        with self._lock:
            self._over = over

    def end(self) -> Gap | None:
        """Records the gap that lasts, if there is one: the source is back, or the run is over."""
        with self._lock:
            if self._over is None:
                return None
            gap, self._over = self._over(), None
            self.recent.append(gap)
            self.away_s += gap.duration_s
            self.number += 1
            return gap


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What became of a source's frames so far.

    seen: frames that the source got, or failed to get; counted there and nowhere else, so that the
    sum is a check. processed: frames whose mask was computed and handed on. reasons: frames of a
    live source that were never given to the network, by reason. failures: frames that could not be
    read ("unreadable") or that the network failed on ("inference"). gaps: how often a live source
    was away; away_s: seconds in all; last_gap: the latest of them.
    """

    seen: int = 0
    processed: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    gaps: int = 0
    away_s: float = 0.0
    last_gap: Gap | None = None

    @property
    def dropped(self) -> int:
        return sum(self.reasons.values())

    @property
    def failed(self) -> int:
        return sum(self.failures.values())

    @property
    def under_way(self) -> int:
        """Frames that nothing has become of yet. When the run is over it has to be 0."""
        return self.seen - self.processed - self.dropped - self.failed

    def totals(self) -> dict[str, Any]:
        """As plain values, for logs and summaries."""
        return {
            "seen": self.seen,
            "processed": self.processed,
            "dropped": self.dropped,
            "reasons": dict(self.reasons),
            "failed": self.failed,
            "failures": dict(self.failures),
            "gaps": self.gaps,
            "away_s": round(self.away_s, 3),
        }
