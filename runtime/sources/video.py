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
from runtime.sources.track import track_length_s
from runtime.sources.whole import is_cut

if TYPE_CHECKING:
    from typing_extensions import Self

FALLBACK_FPS = 25.0
MOST_THREADS = 4
"""Decoders hold a frame or two for each of their threads: at 4K that is 25 MB. They get half of the
cores at most, for the network takes all, and each thread adds work of its own."""
MISSING_S = 1.0
"""A file whose last frame comes this long before its announced end has broken off."""
MISSING_SHARE = 0.05
"""The same as a share of the length, because containers without an index only estimate it."""


def open_video(uri: str, path: Path) -> VideoFile:
    """Raises SourceError for a file that holds no video that OpenCV's FFmpeg can decode."""
    threads = max(1, min((os.cpu_count() or 1) // 2, MOST_THREADS))
    capture = Capture(str(path), cv2.CAP_FFMPEG, decoder_threads(threads))
    cut = is_cut(path)
    if not capture.is_open:
        end = ": it is cut off" if cut else ""
        raise SourceError(
            f"{path} is no video that can be decoded{end}; check that it plays, or convert it: "
            f"ffmpeg -i {path.name} video.mp4"
        )
    return VideoFile(uri, capture, path, cut)


class VideoFile:
    """A video file. Never drops a frame; one that breaks off gives what can be decoded first."""

    def __init__(
        self, uri: str, capture: Capture, path: Path | None = None, cut: bool = False
    ) -> None:
        """capture: the open file, which is closed with this source. path: where it lies, None for
        one behind http://. cut: it is known to lack its end."""
        self._path, self._cut = path, cut
        self._hole_s: float | None = None
        self._shown = redact(uri)
        self._capture = capture
        self.seen = self.failed = 0
        self.dropped: Counter[str] = Counter()
        self.gaps = Gaps()
        count = self._capture.number(cv2.CAP_PROP_FRAME_COUNT)
        self.info = SourceInfo(
            uri=self._shown,
            live=False,
            fps=self._capture.number(cv2.CAP_PROP_FPS),
            frame_count=round(count) if count else None,
        )

    def __iter__(self) -> Iterator[Frame]:
        index, last_s = 0, 0.0
        while (got := self._next(index, last_s)) is not None:
            self.seen += 1
            image, timestamp_s, read_ms = got
            if timestamp_s <= 0:  # OpenCV 4.6 knows none for what a decoder holds back to the end
                timestamp_s = last_s + 1 / (self.info.fps or FALLBACK_FPS) if index else 0.0
            last_s = timestamp_s
            yield Frame(
                image=image, index=index, timestamp_s=last_s, name=f"{index:06d}", read_ms=read_ms
            )
            index += 1
        if index == 0:
            raise SourceError(
                f"{self._shown} holds no frame that can be decoded"
                f"{': it is cut off' if self._cut else ''}; copy or convert it anew"
            )
        self._check_complete(last_s)

    def _next(self, index: int, last_s: float) -> tuple[NDArray[np.uint8], float, float] | None:
        """The next frame. Damage in the middle fails some reads, but frames may follow."""
        got = timed_read(self._capture)
        if got is not None or self._cut:
            return got
        for _ in range((self.info.frame_count or 0) - index):
            if (got := timed_read(self._capture)) is not None:
                self._hole_s = last_s if self._hole_s is None else self._hole_s
                return got
        return None

    def _check_complete(self, last_s: float) -> None:
        fps, count = self.info.fps, self.info.frame_count
        length_s = count / fps if fps and count else 0.0
        step_s = 1 / fps if fps else 0.0
        early = self._ends_early(last_s + step_s, length_s)
        if early and self._path is not None and not self._cut:
            length_s = track_length_s(self._path) or 0.0
        of = f" of {length_s:.1f} s" if length_s else ""
        if self._hole_s is not None:
            raise SourceError(
                f"{self._shown} is damaged at {self._hole_s:.1f} s{of}; what could be decoded was "
                "used: copy the file again if it should be whole"
            )
        if self._cut or self._ends_early(last_s + step_s, length_s):
            raise SourceError(
                f"{self._shown} broke off at {last_s:.1f} s{of}; what could be "
                "decoded was used: copy the file again if there should be more"
            )

    def _ends_early(self, end_s: float, length_s: float) -> bool:
        return length_s - end_s > max(MISSING_S, MISSING_SHARE * length_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._capture.close()
