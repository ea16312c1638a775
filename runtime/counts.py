"""Every frame accounted for: seen = processed + dropped + failed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What became of a source's frames so far.

    processed: frames whose mask was computed and written. dropped: frames of a live source that
    nobody took in time. failed: frames that could not be read.
    """

    processed: int = 0
    dropped: int = 0
    failed: int = 0

    @property
    def seen(self) -> int:
        """Frames that the source gave or failed to give."""
        return self.processed + self.dropped + self.failed
