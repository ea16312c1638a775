"""Cameras and streams: frames that come by the clock, and come back after every interruption."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
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
from runtime.sources.connection import connect, why
from runtime.sources.frozen import Stillness
from runtime.sources.options import LiveOptions
from runtime.sources.reads import Read, Reads

if TYPE_CHECKING:
    from typing_extensions import Self


class LiveSource:
    """A camera or a network stream. Timestamps are Unix time: when a frame arrived, less what it
    was late. When the connection breaks, or nothing comes, or the same picture again and again, it
    reconnects, and gives nothing until there is a new frame."""

    def __init__(self, uri: str, address: Address, options: LiveOptions, capture: Capture) -> None:
        """capture: the open camera or stream, which is closed with this source."""
        self._shown = redact(uri)
        self._address, self._options, self._capture = address, options, capture
        self._closing = threading.Event()
        self._absence: Absence | None = None
        self._last_frame_s: float | None = None
        self._stillness = Stillness()
        self.failed = 0
        self.dropped: Counter[str] = Counter()
        self.gaps = Gaps()
        fps = capture.number(cv2.CAP_PROP_FPS)
        self.info = SourceInfo(uri=self._shown, live=True, fps=fps, frame_count=None)

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while not self._closing.is_set():
            timeout_s = self._options.read_timeout_s
            reads = Reads(self._capture, self._address, timeout_s, self._closing.wait)
            self._stillness.reconnected()
            still_s = 0.0
            while not self._frozen(still_s) and (read := reads.next()) is not None:
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
        if self._absence is not None:
            gap = self._absence.over()
            self.gaps.add(gap)
            self._absence = None
            say(f"{self._shown}: back after {gap.duration_s:.1f} s")
        self._last_frame_s = time.time()
        return Frame(
            image=read.image,
            index=index,
            timestamp_s=self._last_frame_s - read.lag_s,
            name=f"{index:06d}",
            read_ms=read.read_ms,
        )

    def _reconnect(self, reason: str) -> None:
        """Returns when there is a connection, or when closing. Raises SourceError to give up."""
        self._capture.close()
        if self._closing.is_set():
            return
        if self._absence is None:
            self._absence = Absence(reason, self._last_frame_s, self._options)
            say(f"{self._shown}: lost ({reason}); reconnecting")
        while not self._closing.wait(self._absence.next_pause_s()):
            if self._absence.too_long:
                raise SourceError(
                    f"{self._shown} was lost ({self._absence.reason}) and did not come back within "
                    f"{self._options.give_up_after_s:g} s; check the cable, the power and the "
                    "network, and start again"
                )
            self._capture = connect(self._address, self._options)
            if self._closing.is_set():
                self._capture.close()
            if self._capture.is_open:
                return
            if not self._absence.explained:
                say(f"{why(self._address, self._options)}; trying on")
                self._absence.explained = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._capture.close()
