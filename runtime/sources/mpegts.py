"""What an MPEG transport stream says of its own wholeness (ITU-T H.222.0): packets of one size that
begin with the same byte and count on within each of their streams."""

from __future__ import annotations

import os
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from runtime.sources.fault import CUT, DAMAGED, Fault

SYNC = 0x47
BEFORE = {188: 0, 192: 4, 204: 0}
"""Bytes from one packet to the next, and how many of them come before each: recorders of Blu-ray
(M2TS) put a time there; broadcasters put a checksum behind it."""
PROBE = 5
"""So many packets in a row are no chance."""
CHUNK = 100_000
"""Packets that are looked at in one go."""
TABLE, NULL = 0, 0x1FFF
"""The stream that tells of all others, and that of stuffing, which does not count."""
ERROR, BEGINS, PAYLOAD, ADAPTATION, DISCONTINUITY = 0x80, 0x40, 0x10, 0x20, 0x80


def recognises(file: BinaryIO) -> bool:
    """Whether it is a transport stream."""
    return _stride(file) is not None


def is_cut(file: BinaryIO) -> bool:
    """Whether the last packet is not there in full, or none stands where it should: computers that
    lose power leave zeros at the end of what they wrote."""
    first, stride = _stride(file) or (0, 1)
    length = file.seek(0, os.SEEK_END)
    file.seek(length - stride + BEFORE.get(stride, 0))
    return (length - first) % stride != 0 or file.read(1) != bytes([SYNC])


def fault_of(file: BinaryIO) -> Fault | None:
    """Whether packets are missing, shifted or known to be wrong. Reads the whole file."""
    first, stride = _stride(file) or (0, 1)
    content: NDArray[np.uint8] = np.memmap(file, np.uint8, "r", first)
    packets = content[: len(content) // stride * stride].reshape(-1, stride)[:, BEFORE[stride] :]
    latest = np.full((NULL + 1, 2), -1)
    for start in range(0, len(packets), CHUNK):
        heads = packets[start : start + CHUNK, :6].astype(np.int64)
        if (heads[:, 0] != SYNC).any() or (heads[:, 1] & ERROR).any():
            return DAMAGED
        if _miscounted(heads, latest):
            return DAMAGED
    return CUT if is_cut(file) else None


def _stride(file: BinaryIO) -> tuple[int, int] | None:
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


def _miscounted(heads: NDArray[np.int64], latest: NDArray[np.int64]) -> bool:
    """Whether a packet does not follow on the one before. Two recordings that were joined are told
    by their seam: a table of streams, behind which each stream begins anew.

    heads: (packets, 6). latest: the last count of each stream and how many tables came before it,
    -1 before the first; kept up to date."""
    streams = (heads[:, 1] & 0x1F) << 8 | heads[:, 2]
    tables = (streams == TABLE).cumsum() + max(0, latest[TABLE, 1])
    latest[TABLE, 1] = tables[-1]
    counted = (heads[:, 3] & PAYLOAD > 0) & (streams != NULL) & (streams != TABLE)
    for stream in np.unique(streams[counted]):
        at = counted & (streams == stream)
        mine, now = heads[at], np.stack((heads[at, 3] & 0x0F, tables[at]), axis=1)
        before = np.concatenate((latest[stream][np.newaxis], now[:-1]))
        told = (mine[:, 3] & ADAPTATION > 0) & (mine[:, 4] > 0) & (mine[:, 5] & DISCONTINUITY > 0)
        seam = (mine[:, 1] & BEGINS > 0) & (now[:, 1] > before[:, 1])
        steps = (now[:, 0] - before[:, 0]) % 16  # 0: a packet that was sent twice
        if ((steps > 1) & (before[:, 0] >= 0) & ~told & ~seam).any():
            return True
        latest[stream] = now[-1]
    return False
