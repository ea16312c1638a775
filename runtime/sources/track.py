"""When a file's last picture is due, which OpenCV does not tell: it knows the container's length,
that of the sound and of a picture that is held included."""

from __future__ import annotations

from pathlib import Path

from runtime.sources import isobmff, matroska


def last_picture_s(path: Path) -> float | None:
    """Seconds from the first picture to the last one that the file holds, whether or not it can be
    decoded; None where that is not known, and for Matroska without PyAV."""
    with path.open("rb") as file:
        if isobmff.recognises(file):
            return isobmff.last_picture_s(file)
        return _last_packet_s(path) if matroska.recognises(file) else None


def _last_packet_s(path: Path) -> float | None:
    try:
        import av  # costs a tenth of a second, for files that may have broken off
    except ModuleNotFoundError:
        return None
    try:
        with av.open(str(path)) as container:
            track = container.streams.video[0]
            due = [packet.pts for packet in container.demux(track) if packet.size and packet.pts]
            last = max(due, default=0) - (track.start_time or 0)
            return float(last * (track.time_base or 0))
    except (av.FFmpegError, IndexError):
        return None
