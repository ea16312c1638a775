"""What an MPEG transport stream says of its own wholeness (ITU-T H.222.0): packets of one size that
begin with the same byte and count on within each of their streams."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

SYNC = 0x47
BEFORE = {188: 0, 192: 4, 204: 0}
"""Bytes from one packet to the next, and how many of them come before each: recorders of Blu-ray
(M2TS) put a time there; broadcasters put a checksum behind it."""
PROBE = 5
"""So many packets in a row are no chance."""
CHUNK = 100_000
"""Packets that are looked at in one go."""
NULL = 0x1FFF
"""The stream of stuffing, which does not count."""
ERROR, PAYLOAD, ADAPTATION, DISCONTINUITY = 0x80, 0x10, 0x20, 0x80


def stride_of(file: BinaryIO) -> tuple[int, int] | None:
    """Where the first packet begins, and how far it is from one to the next; None for other
    files."""
    file.seek(0)
    head = np.frombuffer(file.read((PROBE + 1) * max(BEFORE)), np.uint8)
    for stride, before in BEFORE.items():
        if len(head) < PROBE * stride:
            return None
        starts = np.flatnonzero((head[: PROBE * stride].reshape(-1, stride) == SYNC).all(axis=0))
        if len(starts):
            return (int(starts[0]) - before) % stride, stride
    return None


def is_cut(file: BinaryIO, first: int, stride: int) -> bool:
    """Whether the last packet is not there in full."""
    return (file.seek(0, os.SEEK_END) - first) % stride != 0


def is_damaged(path: Path, first: int, stride: int) -> bool:
    """Whether packets are missing, shifted or known to be wrong."""
    content: NDArray[np.uint8] = np.memmap(path, np.uint8, "r", first)
    packets = content[: len(content) // stride * stride].reshape(-1, stride)[:, BEFORE[stride] :]
    latest = np.full(NULL + 1, -1)
    for start in range(0, len(packets), CHUNK):
        heads = packets[start : start + CHUNK, :6].astype(np.int64)
        if (heads[:, 0] != SYNC).any() or (heads[:, 1] & ERROR).any():
            return True
        if _miscounted(heads, latest):
            return True
    return False


def _miscounted(heads: NDArray[np.int64], latest: NDArray[np.int64]) -> bool:
    """heads: (packets, 6). latest: the last count of each stream, -1 before it; kept up to date."""
    streams = (heads[:, 1] & 0x1F) << 8 | heads[:, 2]
    counted = heads[:, 3] & PAYLOAD > 0
    for stream in np.unique(streams[counted & (streams != NULL)]):
        mine = heads[counted & (streams == stream)]
        counts = mine[:, 3] & 0x0F
        before = np.concatenate(([latest[stream]], counts[:-1]))
        told = (mine[:, 3] & ADAPTATION > 0) & (mine[:, 4] > 0) & (mine[:, 5] & DISCONTINUITY > 0)
        steps = (counts - before) % 16  # 0: a packet that was sent twice
        if ((steps > 1) & (before >= 0) & ~told).any():
            return True
        latest[stream] = counts[-1]
    return False
