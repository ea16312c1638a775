"""Where results go: an overlay video, mask files, a log and a table of frames, a window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from runtime.console import say
from runtime.counts import Counts
from runtime.errors import SinkError
from runtime.observe import Observation
from runtime.sinks.base import Sink
from runtime.sinks.lane import Lane
from runtime.sinks.lines import FrameLog, FrameTable
from runtime.sinks.masks import MaskFolder
from runtime.sources.base import SourceInfo

if TYPE_CHECKING:
    from typing_extensions import Self

    from runtime.sinks.window import Window

__all__ = ["Outputs", "Sink", "Sinks", "open_sinks"]


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Which results are wanted, and where. None means not wanted.

    log_max_mb: size in megabytes (10^6 bytes) at which log and csv begin a new file. log_keep: how
    many full ones are kept.
    """

    video: Path | None = None
    masks: Path | None = None
    log: Path | None = None
    csv: Path | None = None
    log_max_mb: float = 100.0
    log_keep: int = 9

    @property
    def by_option(self) -> dict[str, Path]:
        """What will be written, under the option that asks for it, in a fixed order."""
        named = {"--save": self.video, "--masks": self.masks, "--log": self.log, "--csv": self.csv}
        return {option: path for option, path in named.items() if path is not None}

    @property
    def paths(self) -> list[Path]:
        """What will be written, in the same order."""
        return list(self.by_option.values())


def open_sinks(outputs: Outputs, info: SourceInfo, window: Window | None = None) -> Sinks:
    """Opens the wanted sinks. Raises SinkError, before any work is done, for one that cannot be
    written."""
    with ExitStack() as opened:
        sinks: list[Sink] = []
        for sink in _wanted(outputs, info):
            opened.callback(sink.close)
            sinks.append(sink)
        if window is not None:
            sinks.append(window)
        opened.pop_all()
    return Sinks(sinks, info.live)


def _wanted(outputs: Outputs, info: SourceInfo) -> Iterator[Sink]:
    max_bytes = round(outputs.log_max_mb * 1e6)
    if outputs.masks is not None:
        yield MaskFolder(outputs.masks)
    if outputs.video is not None:
        open_video = _video_writer()

        yield open_video(outputs.video, info)
    if outputs.log is not None:
        yield FrameLog(outputs.log, max_bytes, outputs.log_keep)
    if outputs.csv is not None:
        yield FrameTable(outputs.csv, max_bytes, outputs.log_keep)


class Sinks:
    """All sinks of a source as one, each in a thread of its own."""

    def __init__(self, sinks: Sequence[Sink], live: bool) -> None:
        self.lanes = [Lane(sink, live) for sink in sinks]

    def write(self, observation: Observation, counts: Counts) -> None:
        """Hands one observation to every sink; waits for room where frames must not be lost."""
        for lane in self.lanes:
            lane.write(observation, counts)

    def end(self, counts: Counts) -> None:
        """The run is over, and these are its totals."""
        for lane in self.lanes:
            lane.end(counts)

    def summary(self) -> dict[str, dict[str, Any]]:
        """Per sink: frames written, skipped because it was too slow, lost because it could not
        write; mean milliseconds per frame written."""
        return {
            lane.name: {
                "written": lane.written,
                "skipped": lane.skipped,
                "lost": lane.lost,
                "ms": round(lane.spent_ms / lane.written, 3) if lane.written else 0.0,
            }
            for lane in self.lanes
        }

    def fault(self) -> SinkError | None:
        """What to tell when something is missing in the outputs."""
        for lane in self.lanes:
            if lane.fault is not None:
                return SinkError(f"{lane.name}: {lane.lost} frames were not written: {lane.fault}")
        return None

    def close(self, timeout_s: float | None = None) -> None:
        """Completes all files, also where one of them fails. timeout_s: how long to wait for a
        disk that does not answer, per sink."""
        with ExitStack() as stack:
            for lane in self.lanes:
                stack.callback(lane.close, timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _video_writer() -> Callable[[Path, SourceInfo], Sink]:
    """PyAV's writer, whose videos survive a power cut, or OpenCV's where PyAV is missing."""
    try:
        from runtime.sinks.video import OverlayVideo
    except ModuleNotFoundError as error:
        if error.name != "av":
            raise
        from runtime.sinks.plain_video import PlainVideo

        say(
            "the video is written by OpenCV and lost if this run is killed; "
            "for one that survives: pip install 'flood-runtime[video]'"
        )
        return PlainVideo
    return OverlayVideo
