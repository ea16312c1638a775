"""Whether a video file is whole: FFmpeg reads what is there and is content.

Only containers that say how long they or their parts are can tell: MP4 and MOV (ISO 14496-12,
boxes), AVI (RIFF), Matroska and WebM, MPEG transport streams.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from runtime.sources import matroska, mpegts
from runtime.sources.matroska import Fault

RIFF = b"RIFF"


def is_cut(path: Path) -> bool:
    """Whether the container announces more bytes than the file has."""
    length = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        file.seek(0)
        if head[4:] == b"ftyp":
            return _end_of_boxes(file, length) > length
        if head[:4] == RIFF:
            return 8 + int.from_bytes(head[4:], "little") > length
        if head[:4] == matroska.EBML:
            return matroska.is_cut(file)
        stride = mpegts.stride_of(file)
        return stride is not None and mpegts.is_cut(file, *stride)


def fault_of(path: Path) -> Fault | None:
    """Whether bytes lack in the middle of a Matroska file or an MPEG transport stream, or at its
    end. Reads the whole file; what lies within a frame is not looked at, nor are other
    containers."""
    with path.open("rb") as file:
        if file.read(4) == matroska.EBML:
            return matroska.fault_of(file)
        stride = mpegts.stride_of(file)
        if stride is None:
            return None
        cut = mpegts.is_cut(file, *stride)
    return "damaged" if mpegts.is_damaged(path, *stride) else "cut" if cut else None


def is_riff(path: Path) -> bool:
    """Whether it is an AVI file."""
    with path.open("rb") as file:
        return file.read(4) == RIFF


def _end_of_boxes(file: BinaryIO, length: int) -> int:
    """Where the last of the boxes that follow one another ends."""
    end = 0
    while end < length:
        file.seek(end)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size < 8:  # 0: to the end of the file; else no box
            return length
        end += size
    return end
