"""What an MP4 or MOV file says of its own wholeness and length (ISO 14496-12; QuickTime): boxes
within boxes, each with its length in front."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from runtime.sources.fault import Fault

FIRST = (b"ftyp", b"wide", b"mdat", b"moov")
"""Boxes that may stand first; the kind of file, which was invented later, in all but old ones."""
LARGEST_INDEX = 1 << 28
"""Bytes; nothing is read of an index of more, which a damaged length may feign."""


def recognises(file: BinaryIO) -> bool:
    """Whether it is an MP4 or MOV file."""
    file.seek(4)
    return file.read(4) in FIRST


def is_cut(file: BinaryIO) -> bool:
    """Whether the last of the boxes that follow one another runs over the end."""
    length = file.seek(0, os.SEEK_END)
    return any(end > length for _, _, end in _boxes(file))


def fault_of(file: BinaryIO) -> Fault | None:
    """Nothing is known of its middle."""
    return None


def last_picture_s(file: BinaryIO) -> float | None:
    """Seconds from the first picture that is shown to the beginning of the last one, by the index
    and the edit list; None where there is no index, as in files of fragments."""
    for name, start, end in _boxes(file):
        if name == b"moov" and end - start <= LARGEST_INDEX:
            file.seek(start)
            index = file.read(end - start)
            movie_unit = _unit(_child(index, b"mvhd"))
            tracks = [track for name, track in _children(index) if name == b"trak"]
            lasts_s = [_last_s(track, movie_unit) for track in tracks]
            return min((last_s for last_s in lasts_s if last_s is not None), default=None)
    return None


def _last_s(track: bytes, movie_unit: int) -> float | None:
    """Of a track of pictures: the last sample that begins before the edit list ends."""
    media = _child(track, b"mdia")
    unit = _unit(_child(media, b"mdhd"))
    table = _child(_child(_child(media, b"minf"), b"stbl"), b"stts")[8:]
    if _child(media, b"hdlr")[8:12] != b"vide" or not unit or not movie_unit or len(table) < 8:
        return None
    runs = np.frombuffer(table[: len(table) // 8 * 8], ">u4").reshape(-1, 2).astype(float)
    counts, steps = runs[runs.min(axis=1) > 0].T  # so many pictures, each so long
    begins = np.concatenate(([0.0], (counts * steps).cumsum()))
    first, end = 0.0, begins[-1]
    if edits := list(_edits(_child(_child(track, b"edts"), b"elst"))):
        first = min(media_time for _, media_time in edits)
        end = first + sum(duration for duration, _ in edits) / movie_unit * unit
    shown = np.minimum(counts - 1, np.ceil((end - begins[:-1]) / steps) - 1)
    lasts = (begins[:-1] + shown * steps)[shown >= 0]
    return max(0.0, float(lasts.max(initial=first) - first) / unit)


def _unit(header: bytes) -> int:
    """How many of its units of time are a second; 0 where it does not say."""
    at = 20 if header[:1] == b"\x01" else 12
    return int.from_bytes(header[at : at + 4], "big")


def _edits(table: bytes) -> Iterator[tuple[int, int]]:
    """How long each edit is, in the film's unit, and where it begins, in the track's own; those
    that only wait are left out."""
    wide = 8 if table[:1] == b"\x01" else 4
    for at in range(8, len(table) - 2 * wide - 3, 2 * wide + 4):
        duration = int.from_bytes(table[at : at + wide], "big")
        begin = int.from_bytes(table[at + wide : at + 2 * wide], "big", signed=True)
        if begin >= 0:
            yield duration, begin


def _child(content: bytes, name: bytes) -> bytes:
    """What the first box of this name holds; nothing where there is none."""
    return next((inside for found, inside in _children(content) if found == name), b"")


def _children(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    for name, start, end in _boxes(io.BytesIO(content)):
        yield name, content[start:end]


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Names of boxes that follow one another, and where what they hold begins and ends."""
    at, length = 0, file.seek(0, os.SEEK_END)
    while at < length:
        file.seek(at)
        head = file.read(16)
        size, start = int.from_bytes(head[:4], "big"), at + 8
        if size == 1:
            size, start = int.from_bytes(head[8:], "big"), at + 16
        if size < 8:  # 0: to the end of the file; else no box
            return
        at += size
        yield head[4:8], start, at
