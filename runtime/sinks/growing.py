"""Files that only grow, by whole pieces: readable at any moment, whatever ends the process."""

from __future__ import annotations

import contextlib
import errno
import os
from itertools import pairwise
from pathlib import Path

from runtime.files import make_folder, unwritable


class GrowingFile:
    """Each append is in the file wholly or not at all, and reaches the file at once."""

    def __init__(self, path: Path) -> None:
        """Starts the file anew. Raises SinkError when it cannot be written."""
        self._path = path
        make_folder(path.parent)
        try:
            self._stream = path.open("wb", buffering=0)
        except OSError as error:
            raise unwritable(path, error) from error
        self.size = 0
        self._synced = 0

    @property
    def closed(self) -> bool:
        return self._stream.closed

    def append(self, piece: bytes) -> None:
        """Raises SinkError; the file is then as it was before."""
        rest = memoryview(piece)
        try:
            while rest:
                rest = rest[self._stream.write(rest) or 0 :]
        except OSError as error:
            with contextlib.suppress(OSError):
                self._stream.seek(self.size)
                self._stream.truncate()
            raise unwritable(self._path, error) from error
        self.size += len(piece)

    def sync(self) -> None:
        """Waits until the disk itself has everything, as a power cut demands. Raises SinkError."""
        if self._synced == self.size:
            return
        try:
            os.fsync(self._stream.fileno())
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # pipes have no disk
                raise unwritable(self._path, error) from error
        self._synced = self.size

    def close(self) -> None:
        """May be called twice. Raises SinkError."""
        if not self._stream.closed:
            try:
                self.sync()
            finally:
                self._stream.close()


def make_way(path: Path, keep: int) -> None:
    """Renames PATH to PATH.1, PATH.1 to PATH.2 and so on, up to a name that is free or `keep`,
    when the oldest is deleted. Raises SinkError.
    """
    names = [path]
    try:
        while len(names) <= keep and names[-1].exists():
            names.append(path.with_name(f"{path.name}.{len(names)}"))
        for older, newer in pairwise(reversed(names)):
            newer.replace(older)
        if keep == 0:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error
