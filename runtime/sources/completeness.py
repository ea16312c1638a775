"""Whether a video file that was read to its end was all there, and where it broke."""

from __future__ import annotations

import math
from pathlib import Path

from runtime.errors import SourceError
from runtime.sources.base import SourceInfo
from runtime.sources.track import last_picture_s
from runtime.sources.whole import fault_of

MISSING_S = 1.0
"""A file whose last frame comes this long before its announced end has broken off."""
MISSING_SHARE = 0.05
"""The same as a share of the length, because containers without an index only estimate it."""
JUMP = 1.4
"""A step in time this many times as long as those around it may hide frames that are missing."""


class Jumps:
    """The step in time that stands out most against the ones before and after it: where frames are
    missing, or where a variable frame rate has a pause."""

    def __init__(self) -> None:
        self.at_s: float | None = None
        """The second of the last frame before it; None where no step stands out."""
        self._stamps_s: list[float] = []
        self._most = JUMP

    def add(self, stamp_s: float) -> None:
        """Timestamps in the order in which frames come; behind damage some come late, and some
        files are joined of others and begin anew: those tell nothing."""
        if self._stamps_s and stamp_s <= self._stamps_s[-1]:
            return
        self._stamps_s = [*self._stamps_s[-3:], stamp_s]
        if len(self._stamps_s) < 4:
            return
        first, begin, end, last = self._stamps_s
        times = (end - begin) / max(begin - first, last - end)
        if times > self._most:
            self._most, self.at_s = times, begin


class Completeness:
    """What is noticed while a file is read, and what it announces itself."""

    def __init__(self, info: SourceInfo, path: Path | None, cut: bool) -> None:
        """path: where it lies, None for one behind http://. cut: it is known to lack its end."""
        self._info, self._path, self._cut = info, path, cut
        self._jumps = Jumps()
        self._came = 0
        self._last_s = self._latest_s = 0.0
        self._hole_s: float | None = None

    def came(self, stamp_s: float) -> None:
        """A frame was read."""
        self._came += 1
        self._jumps.add(stamp_s)
        self._last_s = stamp_s
        self._latest_s = max(stamp_s, self._latest_s)  # joined files begin anew in their middle

    def failed(self) -> None:
        """Reading failed behind the latest frame, but frames followed."""
        if self._hole_s is None:
            self._hole_s = self._last_s

    def check(self) -> None:
        """Raises SourceError, with the second at which it broke, for a file that was not whole."""
        fps, count = self._info.fps, self._info.frame_count
        length_s = count / fps if fps and count else 0.0
        early = _is_early(self._latest_s + (1 / fps if fps else 0.0), length_s)
        of = f" of {length_s:.1f} s" if length_s and (early or not self._cut) else ""
        if self._path is not None:
            if self._jumps.at_s is not None or self._came < (count or math.inf):
                self._look_into(self._path, early or not length_s)
            if early and not self._cut:
                early = self._is_early_by_its_track(self._path)
        if self._hole_s is not None:
            raise SourceError(
                f"{self._info.uri} is damaged at {self._hole_s:.1f} s{of}; what could be decoded "
                "was used: copy the file again if it should be whole"
            )
        if self._cut or early:
            raise SourceError(
                f"{self._info.uri} broke off at {self._last_s:.1f} s{of}; what could be "
                "decoded was used: copy the file again if there should be more"
            )

    def _look_into(self, path: Path, early: bool) -> None:
        """early: as it seems, nothing may have come after the damage."""
        fault = fault_of(path)
        if fault is None:
            return
        at_s, counted = self._jumps.at_s, fault.pictures is not None
        if fault.pictures is not None:
            at_s = fault.pictures / (self._info.fps or 1)
        if fault.kind == "damaged" and at_s is not None and at_s < self._last_s:
            self._hole_s = at_s if self._hole_s is None else min(at_s, self._hole_s)
        elif fault.kind == "cut" or counted or early:
            self._cut = True

    def _is_early_by_its_track(self, path: Path) -> bool:
        """The container's length may be that of its sound."""
        last_s = last_picture_s(path)
        return last_s is not None and _is_early(self._latest_s, last_s)


def _is_early(end_s: float, length_s: float) -> bool:
    return length_s - end_s > max(MISSING_S, MISSING_SHARE * length_s)
