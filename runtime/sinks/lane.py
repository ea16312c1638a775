"""A sink in a thread of its own, which neither a slow nor a full disk can make a run wait or end.

Frames of a file wait until there is room in the queue, so that nothing is left out. Frames of a
live source do not: a sink that cannot keep up leaves some out and counts them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from runtime.behind import Behind
from runtime.console import say
from runtime.counts import Counts
from runtime.errors import SinkError
from runtime.observe import Observation
from runtime.sinks.base import Sink

DEPTH = 4
RETRY_S = 1.0
"""How long a sink that failed rests before it tries again."""
FLUSH_S = 1.0


class Lane:
    """Frames are written, or skipped (the sink was too slow), or lost (it could not write)."""

    def __init__(self, sink: Sink, live: bool) -> None:
        self.name = sink.name
        self.written = self.skipped = self.lost = 0
        self.spent_ms = 0.0
        self.fault: SinkError | None = None
        """Why frames were lost, of late."""
        self._sink = sink
        self._totals: Counts | None = None
        self._resting_until_s: float | None = None
        self._flushed_s = time.monotonic()
        self._behind: Behind[tuple[Observation, Counts]] = Behind(
            self._write, name=f"sink-{sink.name}", depth=DEPTH, skip_when_full=live, idle=self._idle
        )

    def write(self, observation: Observation, counts: Counts) -> None:
        """Hands an observation over."""
        if not self._behind.put((observation, counts)):
            self.skipped += 1

    def end(self, counts: Counts) -> None:
        """The run is over: what the sink is told once everything is written."""
        self._totals = counts

    def close(self, timeout_s: float | None = None) -> None:
        """Writes what is waiting and completes the files, unless that takes longer."""
        try:
            if not self._behind.close(timeout_s):
                self.fault = SinkError("the disk did not answer in time; check it")
                return
        except SinkError as error:
            self._fail(error)
        totals, self._totals = self._totals, None
        if totals is not None:
            self._attempt(partial(self._sink.end, totals))
        self._attempt(self._sink.close)

    def _write(self, item: tuple[Observation, Counts]) -> None:
        start = time.perf_counter()
        resting = self._resting_until_s
        if resting is not None and time.monotonic() < resting:
            self.lost += 1
            return
        try:
            self._sink.write(*item)
        except SinkError as error:
            self.lost += 1
            self._fail(error)
            return
        self.written += 1
        self.spent_ms += (time.perf_counter() - start) * 1e3
        if resting is not None:
            self._resting_until_s = None
            say(f"{self.name}: goes on; {self.lost} frames were not written so far")
        if time.monotonic() - self._flushed_s >= FLUSH_S:
            self._idle()

    def _idle(self) -> None:
        self._flushed_s = time.monotonic()
        if self._resting_until_s is None:
            self._attempt(self._sink.flush)

    def _attempt(self, call: Callable[[], None]) -> None:
        try:
            call()
        except SinkError as error:
            self._fail(error)

    def _fail(self, error: SinkError) -> None:
        if self._resting_until_s is None:
            say(f"{self.name}: {error}; everything else goes on, and so will this when it can")
        self.fault = error
        self._resting_until_s = time.monotonic() + RETRY_S
