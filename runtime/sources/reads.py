"""Frames of one connection to a camera or stream, from opening until it is lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from runtime.sources.address import Address
from runtime.sources.arrivals import ArrivalClock
from runtime.sources.capture import Capture, timed_read
from runtime.sources.clock import StreamClock

BUFFERED = 0.5
"""A stream's first frames that take less than this share of their distance to read were waiting."""
CATCH_UP_S = 2.0
"""What was waiting is read within this time; then frames are new, whatever their timestamps say."""
TIMED_OUT = 0.9
"""A read that took more than this share of the timeout has waited in vain."""


@dataclass(frozen=True, kw_only=True)
class Read:
    """One picture as it came.

    image: (H, W, 3) uint8 BGR. stamp_s: the container's timestamp. lag_s: seconds by which it is
    late. buffered: it was waiting while the stream was opened or hung, so it is old.
    """

    image: NDArray[np.uint8]
    stamp_s: float
    read_ms: float
    lag_s: float
    buffered: bool


class Reads:
    """What one connection gives. Only RTSP's timestamps come from the sender's clock; those of a
    live HTTP playlist say when a frame is due; others are made up by the demuxer and not used: what
    comes over HTTP without a playlist is late by when it arrives."""

    def __init__(
        self,
        capture: Capture,
        address: Address,
        read_timeout_s: float,
        wait: Callable[[float], object],
    ) -> None:
        """wait: sleeps for so many seconds, less when the source is closed."""
        self._capture, self._wait, self._timeout_s = capture, wait, read_timeout_s
        parts = urlsplit(address.where) if address.kind == "stream" else None
        self._is_stream = parts is not None
        self._sent_live = parts is not None and parts.scheme.lower().startswith("rtsp")
        self._in_bursts = address.is_playlist
        self._clock, self._arrivals = StreamClock(), ArrivalClock()
        self._catching_up = self._sent_live
        self._start_s = time.monotonic()
        self._last_stamp_s: float | None = None
        self._timed_out = False
        self.end = "the connection broke"

    def next(self) -> Read | None:
        """The next picture; None when the connection is lost: `end` says why.

        A read that times out may give a picture nevertheless: one that the decoder had held back.
        """
        if self._timed_out:
            return None
        start_s = time.monotonic()
        got = timed_read(self._capture)
        now_s = time.monotonic()
        if self._is_stream and now_s - start_s > TIMED_OUT * self._timeout_s:
            self._timed_out = True
            self.end = f"no frame for {self._timeout_s:g} s"
        if got is None:
            return None
        image, stamp_s, read_ms = got
        lag_s = 0.0
        if self._in_bursts:
            self._wait(self._clock.ahead(stamp_s, now_s))
        elif self._sent_live:
            lag_s = self._clock.lag(stamp_s, now_s)
        elif self._is_stream:
            lag_s = self._arrivals.lag(now_s)
        return Read(
            image=image,
            stamp_s=stamp_s,
            read_ms=read_ms,
            lag_s=lag_s,
            buffered=self._was_buffered(stamp_s, read_ms) or self._timed_out,
        )

    def _was_buffered(self, stamp_s: float, read_ms: float) -> bool:
        if not self._catching_up:
            return False
        step_s = 0.0 if self._last_stamp_s is None else stamp_s - self._last_stamp_s
        self._last_stamp_s = stamp_s
        waited = step_s > 0 and read_ms / 1e3 >= BUFFERED * step_s
        self._catching_up = not waited and time.monotonic() - self._start_s < CATCH_UP_S
        return self._catching_up
