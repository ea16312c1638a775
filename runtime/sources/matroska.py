"""What a Matroska or WebM file says of its own wholeness (RFC 8794, EBML; RFC 9559, Matroska)."""

from __future__ import annotations

import os
from typing import BinaryIO

from runtime.sources.fault import CUT, DAMAGED, Fault

EBML, SEGMENT, CLUSTER = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"
HEAD_BYTES = 12
"""The longest identifier with the longest size."""
TOP_ID_BYTES = 4
"""Elements beside clusters have identifiers of this length, those within them have shorter ones."""


def recognises(file: BinaryIO) -> bool:
    """Whether it is a Matroska or WebM file."""
    file.seek(0)
    return file.read(4) == EBML


def is_cut(file: BinaryIO) -> bool:
    """Whether the segment announces more bytes than the file has."""
    _, end = _segment(file)
    return end is not None and end > file.seek(0, os.SEEK_END)


def fault_of(file: BinaryIO) -> Fault | None:
    """Whether elements follow one another without a gap up to the end of the file.

    Damage within a frame is not seen: only where elements begin is looked at.
    """
    at, end = _segment(file)
    length = file.seek(0, os.SEEK_END)
    while at < (length if end is None else min(end, length)):
        element = _element(file, at, length)
        if element is None:
            return DAMAGED
        name, start, size = element
        if size is None and name != CLUSTER:
            return DAMAGED
        if size is not None and end is not None and start + size > end:
            return DAMAGED
        limit = None if size is None else start + size
        reached = limit if name != CLUSTER else _end_of_blocks(file, start, limit, length)
        if reached is None or (limit is not None and reached != limit and limit <= length):
            return DAMAGED
        at = reached if limit is None else limit
    return CUT if at > length or (end is not None and end > length) else None


def _end_of_blocks(file: BinaryIO, at: int, limit: int | None, length: int) -> int | None:
    """Where the blocks of a cluster end; None where something else stands among them. limit: where
    they should; None: before the next element that is none of a cluster's."""
    while at < min(limit or length, length):
        element = _element(file, at, length)
        if element is None:
            return None
        name, start, size = element
        if limit is None and len(name) == TOP_ID_BYTES:
            return at
        if size is None:
            return None
        at = start + size
    return at


def _segment(file: BinaryIO) -> tuple[int, int | None]:
    """Where the segment's content begins and ends; it ends at None where it was written live."""
    length = file.seek(0, os.SEEK_END)
    header = _element(file, 0, length)
    segment = None if header is None else _element(file, header[1] + (header[2] or 0), length)
    if segment is None or segment[0] != SEGMENT:
        return 0, None
    _, start, size = segment
    return start, None if size is None else start + size


def _element(file: BinaryIO, at: int, length: int) -> tuple[bytes, int, int | None] | None:
    """Identifier, where its content begins, and how long that is (None: unknown, as files have
    that were written live); None where no element stands. length: the file's; an element whose head
    is cut off ends behind it."""
    file.seek(at)
    head = file.read(HEAD_BYTES)
    if len(head) < HEAD_BYTES and head and head[0]:
        head += bytes([0x81]) * HEAD_BYTES if at + len(head) >= length else b""
    name_length = 9 - head[0].bit_length() if head and head[0] else 9
    if name_length > TOP_ID_BYTES or len(head) <= name_length or not head[name_length]:
        return None
    size_length = 9 - head[name_length].bit_length()
    sized = head[name_length : name_length + size_length]
    if len(sized) < size_length:
        return None
    size = int.from_bytes(sized, "big") ^ (1 << 7 * size_length)
    unknown = size == (1 << 7 * size_length) - 1
    return head[:name_length], at + name_length + size_length, None if unknown else size
