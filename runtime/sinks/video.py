"""The overlay video: the source's frames with the water drawn in, at the source's own pace.

It is written as fragments of one frame each, so that it plays up to the last frame whatever ends
the run, and a disk that was full leaves a gap and no damage.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.counts import Counts
from runtime.errors import SinkError
from runtime.observe import Observation
from runtime.overlay import BAND_ROWS, caption_of, overlay_bands
from runtime.sinks.canvas import LONGEST_GAP_S, even_size, fit
from runtime.sinks.growing import GrowingFile, make_way
from runtime.sources.base import SourceInfo

FRAGMENTED = {"movflags": "frag_every_frame+empty_moov+default_base_moof+skip_trailer"}
FORMATS: dict[str, tuple[str, dict[str, str]]] = {
    ".mp4": ("mp4", FRAGMENTED),
    ".mov": ("mov", FRAGMENTED),
    ".mkv": ("matroska", {"cluster_time_limit": "500"}),
}
"""For a suffix FFmpeg's name of the container, and what keeps it playable while it grows."""
CODECS = {"libx264": {"preset": "ultrafast", "tune": "zerolatency", "crf": "23"}, "mpeg4": {}}
"""H.264, which everything plays, else MPEG-4, which every FFmpeg can write."""
TICKS = 90_000
"""Timestamps in the video are in 1/90000 s, as in MPEG."""
KEY_FRAME_S = 1.0
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


class Encoder:
    """Pictures in, bytes of a video file out, at once and in whole fragments.

    encoded: what was not yet taken; the file's beginning comes with the first picture.
    """

    def __init__(self, suffix: str, size: tuple[int, int]) -> None:
        """size: (height, width), both even. Raises SinkError."""
        self.encoded = bytearray()
        self._key_ticks: int | None = None
        container, options = FORMATS[suffix]
        self._container: Any = av.open(self, "w", format=container, options=options)
        codec = next((name for name in CODECS if name in av.codecs_available), None)
        if codec is None:
            raise SinkError("this FFmpeg can write neither H.264 nor MPEG-4; install PyAV's wheel")
        self._stream: Any = self._container.add_stream(codec, options=CODECS[codec])
        self._stream.height, self._stream.width = size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, TICKS)
        self._stream.codec_context.thread_count = 2
        height, width = size
        self._frame = av.VideoFrame(width, height, "yuv420p")

    def write(self, content: Any) -> int:
        """What FFmpeg calls; in pieces that are whole only after each picture."""
        self.encoded += bytes(content)
        return len(content)

    def add(self, bands: Iterable[NDArray[np.uint8]], ticks: int) -> None:
        """bands: a picture's rows from the top, an even number at a time, (h, W, 3) uint8 BGR.
        ticks: its time in 1 / TICKS seconds."""
        frame = self._frame
        frame.make_writable()  # an encoder may hold what it was given last
        _fill(frame, bands)
        frame.pict_type = av.video.frame.PictureType.NONE
        frame.pts, frame.time_base = ticks, Fraction(1, TICKS)
        if self._key_ticks is None or ticks - self._key_ticks >= KEY_FRAME_S * TICKS:
            frame.pict_type = av.video.frame.PictureType.I
            self._key_ticks = ticks
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def start_afresh(self) -> None:
        """The next picture will need none before it."""
        self._key_ticks = None

    def close(self) -> None:
        for packet in self._stream.encode(None):
            self._container.mux(packet)
        self._container.close()


def _fill(frame: Any, bands: Iterable[NDArray[np.uint8]]) -> None:
    """Writes a picture's bands into a yuv420p frame of its size. OpenCV converts several times
    faster than FFmpeg's scaler, which the encoder would call."""
    planes = [
        np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        for plane in frame.planes
    ]
    row = 0
    for band in bands:
        height, width = band.shape[:2]
        converted = cv2.cvtColor(band, cv2.COLOR_BGR2YUV_I420).ravel()
        parts = np.split(converted, [height * width, height * width * 5 // 4])
        for plane, part, share in zip(planes, parts, (1, 2, 2), strict=True):
            end = (row + height) // share
            plane[row // share : end] = part.reshape(-1, width // share)
        row += height
