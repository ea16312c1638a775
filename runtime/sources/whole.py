"""Whether a video file is whole: FFmpeg reads what is there and is content.

Only containers that say how long they or their parts are can tell.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Protocol

from runtime.sources import asf, avi, flv, isobmff, matroska, mpegps, mpegts
from runtime.sources.fault import Fault


class Container(Protocol):
    """A module that reads one kind of container."""

    def recognises(self, file: BinaryIO) -> bool:
        """Whether a file is of this kind."""

    def is_cut(self, file: BinaryIO) -> bool:
        """Whether one of this kind lacks its end; looks at its beginning and its end alone."""

    def fault_of(self, file: BinaryIO) -> Fault | None:
        """What is wrong with the whole of it; what lies within a frame is not looked at."""


CONTAINERS: tuple[Container, ...] = (isobmff, matroska, avi, flv, mpegps, asf, mpegts)


def is_cut(path: Path) -> bool:
    """Whether the container announces more bytes than the file has."""
    with path.open("rb") as file:
        container = _container_of(file)
        return container is not None and container.is_cut(file)


def fault_of(path: Path) -> Fault | None:
    """Whether bytes lack in the middle of a file or at its end. Reads the whole file."""
    with path.open("rb") as file:
        container = _container_of(file)
        return None if container is None else container.fault_of(file)


def _container_of(file: BinaryIO) -> Container | None:
    return next((container for container in CONTAINERS if container.recognises(file)), None)
