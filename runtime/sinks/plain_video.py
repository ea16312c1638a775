"""The overlay video through OpenCV, where PyAV is not installed.

OpenCV writes a constant frame rate and the index of an MP4 at its end: a run that is killed leaves
a video that does not play. `pip install 'flood-runtime[video]'` brings the writer that survives.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.counts import Counts
from runtime.errors import SinkError
from runtime.files import make_folder, unwritable
from runtime.observe import Observation
from runtime.overlay import caption_of, draw_overlay
from runtime.quiet import quiet_opencv
from runtime.sinks.canvas import LONGEST_GAP_S, even_size, fit
from runtime.sources.base import SourceInfo

SUFFIXES = (".mp4", ".mov", ".mkv")
CODECS = ("avc1", "mp4v")
"""H.264 where this OpenCV can write it (browsers play it), else MPEG-4, which every build has."""
FALLBACK_FPS, FASTEST_FPS = 25.0, 120.0


class PlainVideo:
    """One video file. It has the size of the first frame; others are fitted into it.

    Each frame stays until the next one's timestamp, so the video keeps real time whatever was
    dropped, and no frame is left out.
    """

    name = "overlay"

    def __init__(self, path: Path, info: SourceInfo) -> None:
        """Raises SinkError for a path that cannot be written or is no video's."""
        if path.suffix.lower() not in SUFFIXES:
            raise SinkError(f"cannot save {path}: wanted a name that ends in {', '.join(SUFFIXES)}")
        make_folder(path.parent)
        try:
            path.open("wb").close()
        except OSError as error:
            raise unwritable(path, error) from error
        self._path = path
        self._live = info.live
        self._fps = min(max(info.fps or FALLBACK_FPS, 1.0), FASTEST_FPS)
        self._writer: Any = None
        self._size = (0, 0)
        self._previous: NDArray[np.uint8] | None = None
        self._previous_s = 0.0
        self._owed = 0.0

    def write(self, observation: Observation, counts: Counts) -> None:
        frame = observation.frame
        caption = caption_of(observation.water_fraction, frame.timestamp_s, self._live)
        picture = draw_overlay(frame.image, observation.mask, caption)
        if self._writer is None:
            self._size = even_size(picture)
            self._writer = _open_writer(self._path, self._fps, self._size)
        self._keep_pace(frame.timestamp_s)
        self._previous = fit(picture, self._size)
        self._writer.write(self._previous)

    def _keep_pace(self, now_s: float) -> None:
        """Repeats the previous picture until the video has caught up with the source's time."""
        if self._previous is None:
            self._previous_s = now_s
            return
        gap_s = min(max(now_s - self._previous_s, 0.0), LONGEST_GAP_S)
        self._previous_s = now_s
        self._owed += gap_s * self._fps - 1.0
        while self._owed >= 0.5:
            self._writer.write(self._previous)
            self._owed -= 1.0

    def flush(self) -> None:
        """OpenCV keeps what it wrote to itself until the video is closed."""

    def end(self, counts: Counts) -> None:
        return None

    def close(self) -> None:
        if self._writer is not None:
            self._writer.release()
            self._writer = None
        elif self._previous is None:
            self._path.unlink(missing_ok=True)


def _open_writer(path: Path, fps: float, size: tuple[int, int]) -> Any:
    quiet_opencv()
    height, width = size
    for codec in CODECS:
        code = cv2.VideoWriter.fourcc(*codec)
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, fps, (width, height))
        if writer.isOpened():
            return writer
    raise SinkError(
        f"OpenCV cannot write the video {path} at {width}x{height}; install "
        "opencv-python-headless, or leave --save away and keep --masks"
    )
