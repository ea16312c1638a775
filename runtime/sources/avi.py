"""What an AVI file says of its own wholeness (RIFF; OpenDML for files of more than a gigabyte):
chunks that follow one another, each with its length in front."""

from __future__ import annotations

import os
from typing import BinaryIO

from runtime.sources.fault import Fault

RIFF, LIST = b"RIFF", b"LIST"
OPENED = (b"movi", b"rec ")
"""Lists whose chunks are walked through; others are passed over as a whole."""
PICTURE = (b"db", b"dc")
"""How the identifiers of chunks end that hold a picture; two digits stand before it."""
HEAD_BYTES = 12


def recognises(file: BinaryIO) -> bool:
    """Whether it is an AVI file."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    return head[:4] == RIFF and head[8:] == b"AVI "


def is_cut(file: BinaryIO) -> bool:
    """Whether it announces more bytes than the file has."""
    file.seek(4)
    size = int.from_bytes(file.read(4), "little")
    return size < 0xFFFFFFFF and 8 + size > file.seek(0, os.SEEK_END)


def fault_of(file: BinaryIO) -> Fault | None:
    """Whether chunks follow one another up to the end; what lies within them is not looked at."""
    length = file.seek(0, os.SEEK_END)
    at, end, pictures = 0, length, 0
    while at + 8 <= length:
        file.seek(at)
        head = file.read(HEAD_BYTES)
        name, size = head[:4], int.from_bytes(head[4:8], "little")
        if name == RIFF:
            end = at + 8 + size
        elif at in (end, end + 1):  # what others put behind it is no business of ours
            return None
        if not _is_name(name):
            return Fault("damaged", pictures)
        if name == RIFF or (name == LIST and head[8:] in OPENED):
            at += HEAD_BYTES
            continue
        pictures += name[2:] in PICTURE and name[:2].isdigit()
        at += 8 + size
        if size % 2:
            file.seek(at)
            behind = file.read(5)
            at += _is_name(behind[1:]) or not _is_name(behind[:4])  # not all writers fill up
    return Fault("cut", pictures) if at > length + 1 else None


def _is_name(name: bytes) -> bool:
    return len(name) == 4 and name.isascii() and name.decode("ascii").isprintable()
