"""Cameras and streams: frames that come by the clock, and come back after every interruption."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING

import cv2

from runtime.images import Frame
from runtime.sources.address import Address, redact
from runtime.sources.base import SourceInfo
from runtime.sources.capture import Capture
from runtime.sources.connection import Fault
from runtime.sources.frozen import Reruns, Stillness
from runtime.sources.link import Link
from runtime.sources.options import LiveOptions
from runtime.sources.reads import Read, Reads

if TYPE_CHECKING:
    from typing_extensions import Self


class LiveSource:
    """A camera or a network stream. Timestamps are Unix time: when a frame arrived, less what it
    was late. When the connection breaks, or nothing comes, or the same picture again and again, it
    reconnects, and gives nothing until there is a new frame."""

    def __init__(
        self, uri: str, address: Address, options: LiveOptions, first: Future[Capture | Fault]
    ) -> None:
        """first: the first try to connect, which may still go on; what it opens is closed with this
        source."""
        self._address, self._options = address, options
        self._link = Link(redact(uri), address, options, first)
        self._stillness = Stillness()
        self._reruns = Reruns() if address.is_playlist else None
        self.seen = self.failed = 0
        self.dropped: Counter[str] = Counter()
        self.gaps = self._link.gaps
        capture = self._link.capture
        fps = None if capture is None else capture.number(cv2.CAP_PROP_FPS)
        self.info = SourceInfo(uri=redact(uri), live=True, fps=fps, frame_count=None)

    def __iter__(self) -> Iterator[Frame]:
        index, closing = 0, self._link.closing
        self._link.start()
        while self._link.capture is not None and not closing.is_set():
            timeout_s = self._options.read_timeout_s
            reads = Reads(self._link.capture, self._address, timeout_s, closing.wait)
            self._stillness.reconnected()
            if self._reruns is not None:
                self._reruns.reconnected()
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
            self._link.again(f"the same picture for {still_s:.1f} s" if frozen else reads.end)

    def _frozen(self, still_s: float) -> bool:
        limit_s = self._options.frozen_after_s
        return limit_s is not None and still_s > limit_s

    def _unfit(self, read: Read, still_s: float) -> str | None:
        """Why this picture is not given on: the reason under which it is counted."""
        if self._options.frozen_after_s is not None and still_s > self._options.repeat_s:
            return "frozen"
        rerun = self._reruns is not None and self._reruns.again(read.image)
        return "stale" if read.buffered or rerun else None

    def _frame(self, read: Read, index: int) -> Frame:
        return Frame(
            image=read.image,
            index=index,
            timestamp_s=self._link.proved() - read.lag_s,
            name=f"{index:06d}",
            read_ms=read.read_ms,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._link.close()
