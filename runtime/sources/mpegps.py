"""What an MPEG program stream says of its own wholeness (ISO 11172-1, ISO 13818-1): packs and
packets that follow one another, each with its length in front."""

from __future__ import annotations

import os
from typing import BinaryIO

from runtime.sources.fault import CUT, DAMAGED, Fault

CODE, PACK, END = b"\x00\x00\x01", 0xBA, 0xB9
HEAD_BYTES = 14
TAIL_BYTES = 1 << 20
"""In so many bytes a pack begins; it is at most seven tenths of a second from one to the next."""


def recognises(file: BinaryIO) -> bool:
    """Whether it is a program stream."""
    file.seek(0)
    return file.read(4) == CODE + bytes([PACK])


def is_cut(file: BinaryIO) -> bool:
    """Whether the last packet is not there in full."""
    start = max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES)
    file.seek(start)
    pack = file.read(TAIL_BYTES).find(CODE + bytes([PACK]))
    return pack >= 0 and _walk(file, start + pack) == CUT


def fault_of(file: BinaryIO) -> Fault | None:
    """Whether packets follow one another up to the end; what lies within them is not looked at."""
    return _walk(file, 0)


def _walk(file: BinaryIO, at: int) -> Fault | None:
    length = file.seek(0, os.SEEK_END)
    while at < length:
        file.seek(at)
        head = file.read(HEAD_BYTES)
        if head[0] == 0 and head[:3] != CODE[: len(head)]:
            at = _behind_zeros(file, at, length)  # stuffing
            continue
        if head[:3] != CODE[: len(head)]:
            return DAMAGED
        if len(head) < 6:
            return None if head == CODE + bytes([END]) else CUT
        if head[3] < END:
            return DAMAGED  # a code of the picture's own: within packets only
        size = _size(head)
        if size is None:
            return None
        at += size
    return None if at == length else CUT


def _size(head: bytes) -> int | None:
    """How long what begins here is; None for packets that do not say so."""
    if head[3] == END:
        return 4
    if head[3] != PACK:
        return 6 + int.from_bytes(head[4:6], "big") if any(head[4:6]) else None
    if head[4] >> 6 == 0b01:  # MPEG-2; MPEG-1 has another form
        return HEAD_BYTES + (head[-1] & 7 if len(head) == HEAD_BYTES else 0)
    return 12


def _behind_zeros(file: BinaryIO, at: int, length: int) -> int:
    """Where the next code begins, or what stands in its place."""
    file.seek(at)
    while block := file.read(1 << 16):
        rest = block.lstrip(b"\x00")
        if rest:
            begins = file.tell() - len(rest)
            return begins - 2 if rest[0] == 1 else begins
    return length
