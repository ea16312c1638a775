"""What an FLV file says of its own wholeness (Adobe's Video File Format, annex E): tags that follow
one another, each with its length in front and behind."""

from __future__ import annotations

import os
from typing import BinaryIO

from runtime.sources.fault import CUT, DAMAGED, Fault

TAG_BYTES, BEHIND_BYTES = 11, 4
"""What stands before a tag's content, and behind it."""
KINDS = (8, 9, 18)
"""Sound, picture, script."""
FILTERED = 0x20


def recognises(file: BinaryIO) -> bool:
    """Whether it is an FLV file."""
    file.seek(0)
    return file.read(4) == b"FLV\x01"


def is_cut(file: BinaryIO) -> bool:
    """Whether the last tag is not there in full. Looks at the others only where the file does not
    end as it should, for some writers put another number behind each tag."""
    length = file.seek(0, os.SEEK_END)
    file.seek(max(0, length - BEHIND_BYTES))
    whole = int.from_bytes(file.read(BEHIND_BYTES), "big")
    size = _size(file, length - BEHIND_BYTES - whole)
    return (size is None or TAG_BYTES + size != whole) and fault_of(file) == CUT


def fault_of(file: BinaryIO) -> Fault | None:
    """Whether tags follow one another up to the end; what lies within them is not looked at."""
    length = file.seek(0, os.SEEK_END)
    file.seek(5)
    at = int.from_bytes(file.read(4), "big") + BEHIND_BYTES
    while at + TAG_BYTES <= length:
        size = _size(file, at)
        if size is None:
            return DAMAGED
        at += TAG_BYTES + size + BEHIND_BYTES
    return None if at in (length, length + BEHIND_BYTES) else CUT


def _size(file: BinaryIO, at: int) -> int | None:
    """How long a tag's content is; None where no tag begins."""
    file.seek(max(0, at))
    head = file.read(TAG_BYTES)
    tag = at > 0 and len(head) == TAG_BYTES and head[0] & ~FILTERED in KINDS and not any(head[8:])
    return int.from_bytes(head[1:4], "big") if tag else None
