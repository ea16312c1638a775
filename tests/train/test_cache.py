from __future__ import annotations

import errno
import os

import numpy as np
import pytest

from runtime.errors import SinkError
from train import cache
from train.cache import allocate


def test_what_is_larger_than_the_limit_lies_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MEMORY_LIMIT", 12)
    small, large = allocate((3, 4), np.uint8), allocate((3, 5), np.uint8)
    assert not isinstance(small, np.memmap)
    assert isinstance(large, np.memmap)
    large[2, 4] = 7
    assert (large.shape, int(large.sum())) == ((3, 5), 7)


def test_a_disk_without_room_for_the_pictures_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a bus error halfway through, which is what a file with holes comes to."""

    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cache, "MEMORY_LIMIT", 1 << 20)
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(SinkError, match=r"0\.1 GiB of pictures find no room in .*TMPDIR"):
        allocate((128, 1 << 20), np.uint8)
