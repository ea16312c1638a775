"""Where results go: an overlay video, mask files, a log of frames."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from runtime.counts import Counts
from runtime.observe import Observation
from runtime.sinks.base import Sink
from runtime.sinks.log import FrameLog
from runtime.sinks.masks import MaskFolder
from runtime.sinks.video import OverlayVideo
from runtime.sources.base import SourceInfo

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Outputs", "Sink", "Sinks", "open_sinks"]


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Which results are wanted, and where. None means not wanted."""

    video: Path | None = None
    masks: Path | None = None
    log: Path | None = None


def open_sinks(outputs: Outputs, info: SourceInfo) -> Sinks:
    """Opens the wanted sinks. Raises SinkError, before any work is done, for one that cannot be
    written."""
    with ExitStack() as opened:
        sinks: list[Sink] = []
        if outputs.masks is not None:
            sinks.append(MaskFolder(outputs.masks))
        if outputs.video is not None:
            video = OverlayVideo(outputs.video, info)
            opened.callback(video.close)
            sinks.append(video)
        if outputs.log is not None:
            sinks.append(FrameLog(outputs.log))
        opened.pop_all()
    return Sinks(sinks)


class Sinks:
    """All sinks of a run as one. The log comes last, so that its lines hold the others' times."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = sinks

    def write(self, observation: Observation, counts: Counts) -> Observation:
        """Writes one observation everywhere and returns it with each sink's time as a stage.

        Raises SinkError.
        """
        for sink in self._sinks:
            start = time.perf_counter()
            sink.write(observation, counts)
            spent_ms = (time.perf_counter() - start) * 1e3
            stage_ms = {**observation.stage_ms, sink.name: spent_ms}
            observation = dataclasses.replace(observation, stage_ms=stage_ms)
        return observation

    def close(self) -> None:
        """Completes all files, also where one of them fails."""
        with ExitStack() as stack:
            for sink in self._sinks:
                stack.callback(sink.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
