"""What every source is: frames to iterate over, and what is known about them beforehand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from runtime.counts import Gaps
from runtime.images import Frame

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True, kw_only=True)
class SourceInfo:
    """What is known of a source before its first frame.

    uri: as given, without passwords, fit to be shown. live: frames come by the clock and are lost
    when nobody takes them. fps: announced frames per second, None where unknown; only for showing
    and for writing videos, never for timestamps. frame_count: announced, None where unknown.
    """

    uri: str
    live: bool
    fps: float | None
    frame_count: int | None


class Source(Protocol):
    """Frames in order. Iterate once; a source that breaks off raises SourceError at that point."""

    info: SourceInfo
    seen: int
    """Frames that came so far, or should have come: given on, dropped, or failed."""
    failed: int
    """Frames that could not be read so far; each was reported and skipped."""
    dropped: Counter[str]
    """Frames that came and were not given on, by reason; only live sources drop any."""
    gaps: Gaps
    """The times in which a live source was away."""

    def __iter__(self) -> Iterator[Frame]: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
