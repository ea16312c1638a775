"""Still pictures: one, a folder of them, or those that a pattern matches."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from runtime.console import say
from runtime.counts import Gaps
from runtime.errors import DataError
from runtime.images import PICTURE_SUFFIXES, Frame, read_picture
from runtime.sources.base import SourceInfo

if TYPE_CHECKING:
    from typing_extensions import Self

PICTURES_PER_SECOND = 1.0
"""Pictures have no clock of their own: each stands for one second, in timestamps and videos."""


class PictureSource:
    """Pictures in natural order (2 before 10). One that cannot be read is reported and skipped."""

    def __init__(self, uri: str, paths: Sequence[Path]) -> None:
        self._paths = sorted(paths, key=natural_order)
        self.seen = self.failed = 0
        self.dropped: Counter[str] = Counter()
        self.gaps = Gaps()
        self.info = SourceInfo(
            uri=uri, live=False, fps=PICTURES_PER_SECOND, frame_count=len(self._paths)
        )

    def __iter__(self) -> Iterator[Frame]:
        names = _unique_names(self._paths)
        for index, (path, name) in enumerate(zip(self._paths, names, strict=True)):
            start = time.perf_counter()
            self.seen += 1
            try:
                rgb = read_picture(path)
            except DataError as error:
                self.failed += 1
                say(f"skipped: {error}")
                continue
            image = np.ascontiguousarray(rgb[..., ::-1])
            yield Frame(
                image=image,
                index=index,
                timestamp_s=index / PICTURES_PER_SECOND,
                name=name,
                read_ms=(time.perf_counter() - start) * 1e3,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None


def is_picture(path: Path) -> bool:
    """Whether a path is a file that is named like a still picture, and not a hidden one."""
    return (
        path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def natural_order(path: Path) -> list[tuple[int, int, str]]:
    """A sort key by which numbers in names count as numbers: 2.jpg before 10.jpg."""
    parts = re.split(r"([0-9]+)", str(path))
    return [
        (0, int(part), part) if part[0] in "0123456789" else (1, 0, part) for part in parts if part
    ]


def _unique_names(paths: Sequence[Path]) -> list[str]:
    """Stems, with the position added where pictures of different folders or formats share one."""
    shared = Counter(path.stem for path in paths)
    return [
        path.stem if shared[path.stem] == 1 else f"{path.stem}-{index:06d}"
        for index, path in enumerate(paths)
    ]
