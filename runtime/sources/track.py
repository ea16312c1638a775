"""How long a file's picture is, which OpenCV does not tell: it knows the container's length, that
of the sound included."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from runtime.sources.whole import is_riff


def track_length_s(path: Path, container_s: float) -> float | None:
    """Seconds from the first picture's beginning to the last one's end, as the file announces them;
    None where it does not, or without PyAV. container_s: what OpenCV takes for its length."""
    if is_riff(path):
        return container_s  # an AVI counts its pictures
    try:
        import av  # costs a tenth of a second, for files that may have broken off
    except ModuleNotFoundError:
        return None
    try:
        with av.open(str(path)) as container:
            track = container.streams.video[0]
            unit_s = float(track.time_base or 0)
            if track.duration:
                return float(track.duration * unit_s)
            end_s = _seconds(track.metadata.get("DURATION", ""))  # Matroska's statistics
            return None if end_s is None else end_s - (track.start_time or 0) * unit_s
    except (av.FFmpegError, IndexError):
        return None


def _seconds(text: str) -> float | None:
    """Of "01:02:03.5"; None where it is no such time."""
    try:
        hours, minutes, seconds = text.split(":")
        return timedelta(
            hours=int(hours), minutes=int(minutes), seconds=float(seconds)
        ).total_seconds()
    except ValueError:
        return None
