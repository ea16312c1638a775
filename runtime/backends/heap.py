"""What glibc does with freed memory: a model that was loaded gives it back, training keeps it."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Callable, Iterator

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -2, -3, -4
"""What mallopt(3) may change."""
SMALL, LARGE = 1 << 20, 32 << 20
"""Bytes from which a block comes from the kernel itself and goes back to it when it is freed: while
a model is loaded, and afterwards, when every frame is such a block and would cost page faults."""
GROWTH = 256 << 20
"""Bytes by which a heap grows that keeps what is freed."""


@contextlib.contextmanager
def lean_heap() -> Iterator[None]:
    """While the block runs, freed blocks of a megabyte leave the process at once.

    Weights are copied several times on their way into a session, and glibc keeps freed blocks of
    this size for later. Does nothing where the C library is another.
    """
    mallopt = _mallopt()
    mallopt(M_MMAP_THRESHOLD, SMALL)
    try:
        yield
    finally:
        mallopt(M_MMAP_THRESHOLD, LARGE)
        mallopt(M_TRIM_THRESHOLD, 2 * LARGE)


def keep_freed_blocks() -> None:
    """From now on freed blocks of any size stay in this process, for the next ones.

    A step of training asks for the same hundreds of megabytes again and again; from the kernel each
    page would come anew, and be cleared first. Does nothing where the C library is another.
    """
    mallopt = _mallopt()
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, -1)
    mallopt(M_TOP_PAD, GROWTH)


def _mallopt() -> Callable[[int, int], int]:
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            found: Callable[[int, int], int] = ctypes.CDLL(None).mallopt
            return found
    return lambda *_: 0
