"""Every frame accounted for: seen = processed + dropped + failed; and every gap between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

KEPT_GAPS = 100
"""Gaps that are remembered one by one; older ones only count."""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A time in which a live source gave nothing.

    start_s: Unix time of the last frame before it. duration_s: seconds until the next frame.
    reason: what was noticed first.
    """

    start_s: float
    duration_s: float
    reason: str


class Gaps:
    """All gaps of a source so far, in constant memory however long it runs."""

    def __init__(self) -> None:
        self.number = 0
        self.away_s = 0.0
        self.recent: deque[Gap] = deque(maxlen=KEPT_GAPS)

    def add(self, gap: Gap) -> None:
        """Records a gap that is over."""
        self.recent.append(gap)
        self.away_s += gap.duration_s
        self.number += 1


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What became of a source's frames so far.

    processed: frames whose mask was computed and written. dropped: frames of a live source that
    were never given to the network; reasons: how many of them for which reason. failed: frames
    that could not be read. gaps: how often a live source was away; away_s: seconds in all;
    last_gap: the latest of them.
    """

    processed: int = 0
    dropped: int = 0
    failed: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    gaps: int = 0
    away_s: float = 0.0
    last_gap: Gap | None = None

    @property
    def seen(self) -> int:
        """Frames that the source gave or failed to give."""
        return self.processed + self.dropped + self.failed
