"""Cameras and streams: frames that come by the clock, and come back after every interruption."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, wait
from types import TracebackType
from typing import TYPE_CHECKING

import cv2

from runtime.console import say
from runtime.counts import Gaps
from runtime.errors import SourceError
from runtime.images import Frame
from runtime.sources.absence import Absence
from runtime.sources.address import Address, redact
from runtime.sources.base import SourceInfo
from runtime.sources.capture import Capture
from runtime.sources.connection import Fault, connect, is_recording, why
from runtime.sources.frozen import Stillness
from runtime.sources.options import LiveOptions
from runtime.sources.reads import Read, Reads

if TYPE_CHECKING:
    from typing_extensions import Self

LOOK_S = 0.2
"""How often one looks, while the first connection is made, whether it is still wanted."""


class LiveSource:
    """A camera or a network stream. Timestamps are Unix time: when a frame arrived, less what it
    was late. When the connection breaks, or nothing comes, or the same picture again and again, it
    reconnects, and gives nothing until there is a new frame."""

    def __init__(
        self, uri: str, address: Address, options: LiveOptions, first: Future[Capture | Fault]
    ) -> None:
        """first: the first try to connect, which may still go on; what it opens is closed with this
        source."""
        self._shown = redact(uri)
        self._address, self._options, self._first = address, options, first
        self._opened_s = time.time()
        self._closing = threading.Event()
        self._absence: Absence | None = None
        self._last_frame_s: float | None = None
        self._stillness = Stillness()
        self.seen = self.failed = 0
        self.dropped: Counter[str] = Counter()
        self.gaps = Gaps()
        capture = first.result() if first.done() else None
        self._capture = capture if isinstance(capture, Capture) else None
        fps = self._capture.number(cv2.CAP_PROP_FPS) if self._capture is not None else None
        self.info = SourceInfo(uri=self._shown, live=True, fps=fps, frame_count=None)

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        self._start()
        while self._capture is not None and not self._closing.is_set():
            timeout_s = self._options.read_timeout_s
            reads = Reads(self._capture, self._address, timeout_s, self._closing.wait)
            self._stillness.reconnected()
            still_s = 0.0
            while not self._frozen(still_s) and (read := reads.next()) is not None:
                self.seen += 1
                still_s = self._stillness.seconds(read.image, read.stamp_s, time.monotonic())
                if reason := self._unfit(read, still_s):
                    self.dropped[reason] += 1
                else:
                    yield self._frame(read, index)
                index += 1
            frozen = self._frozen(still_s)
            self._reconnect(f"the same picture for {still_s:.1f} s" if frozen else reads.end)

    def _frozen(self, still_s: float) -> bool:
        limit_s = self._options.frozen_after_s
        return limit_s is not None and still_s > limit_s

    def _unfit(self, read: Read, still_s: float) -> str | None:
        """Why this picture is not given on: the reason under which it is counted."""
        if self._options.frozen_after_s is not None and still_s > self._options.repeat_s:
            return "frozen"
        return "stale" if read.buffered else None

    def _frame(self, read: Read, index: int) -> Frame:
        self._absence = None
        if (gap := self.gaps.end()) is not None:
            say(f"{self._shown}: back after {gap.duration_s:.1f} s")
        self._last_frame_s = time.time()
        return Frame(
            image=read.image,
            index=index,
            timestamp_s=self._last_frame_s - read.lag_s,
            name=f"{index:06d}",
            read_ms=read.read_ms,
        )

    def _start(self) -> None:
        """Returns when there is a first connection, or when closing. Raises SourceError."""
        while not wait([self._first], LOOK_S).done:
            if self._closing.is_set():
                return
        got = self._first.result()
        if isinstance(got, Capture):
            if is_recording(self._address, got):
                raise SourceError(
                    f"{self._shown} is a recording whose server took more than "
                    f"{self._options.start_s:g} s to answer; copy it here and name the copy"
                )
            self._capture = got
            return
        if got.for_good:
            raise SourceError(got.line)
        told = f"{got.line}; it did not come"
        self._absence = Absence("not there at the start", self._opened_s, self._options, told)
        self._absence.explained = True
        limit_s = self._options.give_up_after_s
        until = "until it is there" if limit_s is None else f"for {limit_s:g} s"
        say(f"{got.line}; waiting {until}")
        self._try_on(self._absence)

    def _reconnect(self, reason: str) -> None:
        """Returns when there is a connection, or when closing. Raises SourceError to give up."""
        if self._capture is not None:
            self._capture.close()
        if self._closing.is_set():
            return
        if self._absence is None:
            told = f"{self._shown} was lost ({reason}) and did not come back"
            self._absence = Absence(reason, self._last_frame_s, self._options, told)
            say(f"{self._shown}: lost ({reason}); reconnecting")
        self._try_on(self._absence)

    def _try_on(self, absence: Absence) -> None:
        self.gaps.begin(absence.over)
        while not self._closing.wait(absence.next_pause_s()):
            if absence.too_long:
                self.gaps.end()
                raise SourceError(absence.given_up())
            self._capture = connect(self._address, self._options)
            if self._closing.is_set():
                self._capture.close()
            if self._capture.is_open:
                return
            if not absence.explained:
                say(f"{why(self._address, self._options).line}; trying on")
                absence.explained = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self.gaps.end()
        if self._capture is not None:
            self._capture.close()
        self._first.add_done_callback(_close)


def _close(first: Future[Capture | Fault]) -> None:
    """A connection that comes when nobody wants it any more."""
    if first.exception() is None and isinstance(capture := first.result(), Capture):
        capture.close()
