"""The overlay video: the source's frames with the water drawn in, at the source's own pace.

It is written as fragments of one frame each, so that it plays up to the last frame whatever ends
the run, and a disk that was full leaves a gap and no damage.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from runtime.counts import Counts
from runtime.errors import SinkError
from runtime.observe import Observation
from runtime.overlay import BAND_ROWS, caption_of, overlay_bands
from runtime.sinks.canvas import LONGEST_GAP_S, even_size, fit
from runtime.sinks.encoder import FORMATS, TICKS, Encoder
from runtime.sinks.growing import GrowingFile, make_way
from runtime.sources.base import SourceInfo

KEPT = 9
"""A live run that starts anew keeps this many videos of earlier runs, as NAME.1, NAME.2, ..."""


class OverlayVideo:
    """One video file. It has the size of the first frame; others are fitted into it.

    Each frame has its source's timestamp, so the video keeps real time whatever was dropped, and
    no frame is left out.
    """

    name = "overlay"

    def __init__(self, path: Path, info: SourceInfo) -> None:
        """Raises SinkError for a path that cannot be written or is no video's."""
        if path.suffix.lower() not in FORMATS:
            raise SinkError(f"cannot save {path}: wanted a name that ends in {', '.join(FORMATS)}")
        if info.live and path.is_file() and path.stat().st_size:
            make_way(path, KEPT)
        self._path = path
        self._live = info.live
        self._file = GrowingFile(path)
        self._encoder: Encoder | None = None
        self._size = (0, 0)
        self._clock = Clock(info.fps)

    def write(self, observation: Observation, counts: Counts) -> None:
        frame = observation.frame
        self._append()
        caption = caption_of(observation.water_fraction, frame.timestamp_s, self._live)
        if self._encoder is None:
            self._size = even_size(frame.image)
            self._encoder = Encoder(self._path.suffix.lower(), self._size)
        bands = overlay_bands(frame.image, observation.mask, caption)
        if frame.image.shape[:2] != self._size:
            picture = fit(np.concatenate(list(bands)), self._size)
            bands = (picture[top : top + BAND_ROWS] for top in range(0, len(picture), BAND_ROWS))
        self._encoder.add(bands, self._clock.tick(frame.timestamp_s))
        self._append()

    def _append(self) -> None:
        """Writes what is encoded. On a full disk it is kept, and nothing more is encoded until it
        is written, so that the file goes on where it stopped."""
        if self._encoder is None:
            return
        try:
            self._file.append(bytes(self._encoder.encoded))
        except SinkError:
            self._encoder.start_afresh()
            raise
        self._encoder.encoded.clear()

    def flush(self) -> None:
        self._file.sync()

    def end(self, counts: Counts) -> None:
        return None

    def close(self) -> None:
        try:
            if self._encoder is not None:
                self._encoder.close()
                self._append()
        finally:
            self._file.close()
            if self._encoder is None and self._file.size == 0:
                self._path.unlink(missing_ok=True)
            self._encoder = None


class Clock:
    """From a source's timestamps to those of its video, which start at 0 and only grow."""

    def __init__(self, fps: float | None) -> None:
        self._usual_s = 1.0 / min(max(fps or 25.0, 1.0), 120.0)
        self._previous_s: float | None = None
        self._ticks = 0

    def tick(self, now_s: float) -> int:
        """The timestamp of the next frame in units of 1 / TICKS seconds."""
        if self._previous_s is not None:
            gap_s = now_s - self._previous_s
            gap_s = min(gap_s, LONGEST_GAP_S) if gap_s > 0 else self._usual_s
            self._ticks += max(1, round(gap_s * TICKS))
        self._previous_s = now_s
        return self._ticks
