"""Video files, with the container's own timestamps."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.counts import Gaps
from runtime.errors import SourceError
from runtime.images import Frame
from runtime.sources.address import redact
from runtime.sources.base import SourceInfo
from runtime.sources.capture import Capture, decoder_threads, timed_read
from runtime.sources.completeness import Completeness
from runtime.sources.whole import is_cut

if TYPE_CHECKING:
    from typing_extensions import Self

FALLBACK_FPS = 25.0
MOST_THREADS = 4
"""Decoders hold a frame or two for each of their threads: at 4K that is 25 MB. They get half of the
cores at most, for the network takes all, and each thread adds work of its own."""
PLACEHOLDER = 1 << 30
"""Frames, a year and more of them, that an AVI announces whose writer could not go back."""
FEWEST_TRIES = 100
"""Reads that may fail in a row before a file counts as over, where it announces fewer frames."""


def open_video(uri: str, path: Path) -> VideoFile:
    """Raises SourceError for a file that holds no video that OpenCV's FFmpeg can decode."""
    where = path.absolute()  # FFmpeg takes what stands before a colon in 12:30.mp4 for a protocol
    threads = max(1, min((os.cpu_count() or 1) // 2, MOST_THREADS))
    capture = Capture(str(where), cv2.CAP_FFMPEG, decoder_threads(threads))
    regular = path.is_file()  # what is read of a pipe is gone
    cut = regular and is_cut(path)
    if not capture.is_open:
        end = ": it is cut off" if cut else ""
        raise SourceError(
            f"{path} is no video that can be decoded{end}; check that it plays, or convert it: "
            f"ffmpeg -i {path.name} video.mp4"
        )
    return VideoFile(uri, capture, where if regular else None, cut)


class VideoFile:
    """A video file. Never drops a frame; one that breaks off gives what can be decoded first."""

    def __init__(
        self, uri: str, capture: Capture, path: Path | None = None, cut: bool = False
    ) -> None:
        """capture: the open file, which is closed with this source. path: where it lies, None for
        one behind http://. cut: it is known to lack its end."""
        self._cut = cut
        self._shown = redact(uri)
        self._capture = capture
        self.seen = self.failed = 0
        self.dropped: Counter[str] = Counter()
        self.gaps = Gaps()
        count = self._capture.number(cv2.CAP_PROP_FRAME_COUNT) or 0
        self.info = SourceInfo(
            uri=self._shown,
            live=False,
            fps=self._capture.number(cv2.CAP_PROP_FPS),
            frame_count=round(count) if 0 < count < PLACEHOLDER else None,
        )
        self._completeness = Completeness(self.info, path, cut)

    def __iter__(self) -> Iterator[Frame]:
        index, last_s = 0, 0.0
        while (got := self._next(index)) is not None:
            self.seen += 1
            image, timestamp_s, read_ms = got
            if timestamp_s <= 0:  # OpenCV 4.6 knows none for what a decoder holds back to the end
                timestamp_s = last_s + 1 / (self.info.fps or FALLBACK_FPS) if index else 0.0
            last_s = timestamp_s
            self._completeness.came(last_s)
            yield Frame(
                image=image, index=index, timestamp_s=last_s, name=f"{index:06d}", read_ms=read_ms
            )
            index += 1
        if index == 0:
            raise SourceError(
                f"{self._shown} holds no frame that can be decoded"
                f"{': it is cut off' if self._cut else ''}; copy or convert it anew"
            )
        self._completeness.check()

    def _next(self, index: int) -> tuple[NDArray[np.uint8], float, float] | None:
        """The next frame. Damage in the middle fails some reads, but frames may follow: those that
        could not be read are then counted."""
        got = timed_read(self._capture)
        if got is not None or self._cut:
            return got
        for failed in range(1, max(FEWEST_TRIES, (self.info.frame_count or 0) - index)):
            if (got := timed_read(self._capture)) is not None:
                self.seen += failed
                self.failed += failed
                self._completeness.failed()
                return got
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._capture.close()
