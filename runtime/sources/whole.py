"""Whether a video file has been cut short: FFmpeg reads to the end of what is there and is content.

Only containers that say how long they are can tell: MP4 and MOV (ISO 14496-12, boxes), AVI (RIFF),
Matroska and WebM (RFC 8794, EBML).
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

EBML, SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


def is_cut(path: Path) -> bool:
    """Whether the container announces more bytes than the file has."""
    length = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        file.seek(0)
        if head[4:] == b"ftyp":
            return _end_of_boxes(file, length) > length
        if head[:4] == b"RIFF":
            return 8 + int.from_bytes(head[4:], "little") > length
        if head[:4] == EBML:
            return _end_of_segment(file) > length
    return False


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


def _end_of_segment(file: BinaryIO) -> int:
    """Where the segment that follows the header ends; 0 when it does not say."""
    file.seek(4)
    file.seek(_number(file) or 0, 1)
    if file.read(4) != SEGMENT:
        return 0
    size = _number(file)
    return 0 if size is None else file.tell() + size


def _number(file: BinaryIO) -> int | None:
    """A variable-length integer; None for "unknown", as files have that were written live."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    value = int.from_bytes(bytes([first[0] ^ (0x80 >> more)]) + file.read(more), "big")
    return None if value == (1 << 7 * (more + 1)) - 1 else value
