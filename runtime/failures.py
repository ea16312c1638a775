"""Frames that the network fails on: one is counted and passed over, so many in a row end a run."""

from __future__ import annotations

import time

from runtime.console import say
from runtime.errors import BackendError

MOST_IN_A_ROW = 10
"""A GPU whose memory another process held for a moment works again at the next call; a driver that
is gone fails for as long as the process lives, and only a new one can help."""
TOLD_EVERY_S = 60.0
"""How often failures are told at most: a run may last a year, and so may what fails now and then.
"""


class Failures:
    """The failures of one source's run. Used by one thread; `number` may be read by others."""

    def __init__(self, source: str) -> None:
        """source: its name in messages."""
        self.number = 0
        self.last: str | None = None
        """Why the latest of them failed."""
        self._source = source
        self._in_a_row = 0
        self._told_s = -TOLD_EVERY_S

    @property
    def too_many(self) -> bool:
        return self._in_a_row >= MOST_IN_A_ROW

    def add(self, error: BackendError) -> None:
        """The network failed on a frame."""
        self.number += 1
        self._in_a_row += 1
        self.last = str(error)
        if time.monotonic() - self._told_s >= TOLD_EVERY_S:
            self._told_s = time.monotonic()
            say(f"{self._source}: {error} (frames failed so far: {self.number}; going on)")

    def over(self) -> None:
        """The network works."""
        if not self.too_many:  # what was begun before the last straw does not undo it
            self._in_a_row = 0

    def raise_if_too_many(self) -> None:
        """Raises BackendError when the network failed on so many frames one after another."""
        if self.too_many:
            raise BackendError(f"{self._in_a_row} frames in a row failed: {self.last}")
