"""Pictures encoded as a video that is whole after each of them."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.errors import SinkError

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
