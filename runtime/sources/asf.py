"""What an ASF file (WMV) says of its own wholeness: its header holds the file's length."""

from __future__ import annotations

import os
from typing import BinaryIO

from runtime.sources.fault import Fault

HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
PROPERTIES_BYTES = 92
LIVE = 1
"""The flag of a file that was written without seeking, whose length holds nothing."""
LARGEST_HEADER = 1 << 16


def recognises(file: BinaryIO) -> bool:
    """Whether it is an ASF file."""
    file.seek(0)
    return file.read(16) == HEADER


def is_cut(file: BinaryIO) -> bool:
    """Whether it announces more bytes than the file has."""
    file.seek(0)
    _, found, properties = file.read(LARGEST_HEADER).partition(PROPERTIES)
    if not found or len(properties) < PROPERTIES_BYTES - 16 or properties[72] & LIVE:
        return False
    return int.from_bytes(properties[24:32], "little") > file.seek(0, os.SEEK_END)


def fault_of(file: BinaryIO) -> Fault | None:
    """Nothing is known of its middle."""
    return None
