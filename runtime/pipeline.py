"""The run: frames from a source, through the model, into the sinks, all of them accounted for."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any

from runtime.behind import Behind
from runtime.counts import Counts
from runtime.in_order import in_order
from runtime.observe import Inferred, Network, Observation, Prepared, conclude, infer, prepare
from runtime.prefetch import MAX_STALENESS_S, Prefetch, prefetch
from runtime.sinks import Sinks
from runtime.sources import Source

DEPTH = 2
"""Frames that wait for the network, and as many behind it: enough to overlap, and little memory."""
RECENT_FRAMES = 30
"""The FPS that is shown while running is that of this many last frames."""


class Tally:
    """What a run has done so far, in constant memory however long it runs."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.water_fraction = 0.0
        self._started_s = time.perf_counter()
        self._recent_s: deque[float] = deque([self._started_s], maxlen=RECENT_FRAMES + 1)
        self._water_sum, self._water_low, self._water_high = 0.0, 1.0, 0.0
        self._stage_ms: dict[str, float] = {}

    def add(self, observation: Observation, counts: Counts) -> None:
        """Counts one finished observation."""
        self.counts = counts
        self.water_fraction = observation.water_fraction
        self._recent_s.append(time.perf_counter())
        self._water_sum += observation.water_fraction
        self._water_low = min(self._water_low, observation.water_fraction)
        self._water_high = max(self._water_high, observation.water_fraction)
        for stage, ms in observation.stage_ms.items():
            self._stage_ms[stage] = self._stage_ms.get(stage, 0.0) + ms

    @property
    def recent_fps(self) -> float:
        """Frames per second of late."""
        span_s = self._recent_s[-1] - self._recent_s[0]
        return (len(self._recent_s) - 1) / span_s if span_s > 0 else 0.0

    def summary(self) -> dict[str, Any]:
        """The whole run as plain values: frames, seconds, FPS, water, mean ms per stage."""
        counts, seconds = self.counts, time.perf_counter() - self._started_s
        frames = {
            "seen": counts.seen,
            "processed": counts.processed,
            "dropped": counts.dropped,
            "failed": counts.failed,
            "reasons": dict(counts.reasons),
            "gaps": counts.gaps,
            "away_s": round(counts.away_s, 3),
        }
        number = counts.processed
        if number == 0:
            return {"frames": frames, "seconds": round(seconds, 3)}
        return {
            "frames": frames,
            "seconds": round(seconds, 3),
            "fps": round(number / seconds, 3),
            "water_fraction": {
                "mean": round(self._water_sum / number, 6),
                "low": round(self._water_low, 6),
                "high": round(self._water_high, 6),
            },
            "ms": {stage: round(ms / number, 3) for stage, ms in self._stage_ms.items()},
        }


def run_pipeline(
    source: Source,
    model: Network,
    sinks: Sinks,
    tally: Tally,
    *,
    max_frames: int | None = None,
    max_staleness_s: float = MAX_STALENESS_S,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Observes every frame of a source until it ends, max_frames are processed, or it is stopped.

    Does what `for frame in prefetch(source): sinks.write(observe(frame, model))` says, with its
    stages overlapping: reading and preprocessing, the network, the decision at frame size, and
    each sink have a thread of their own (the network as many as it takes calls at once), and hand
    on in order. The tally is kept up to date
    throughout, so that it is right also when an error ends the run.
    Raises SourceError or BackendError.
    """
    frames = prefetch(
        (prepare(frame, model.manifest) for frame in source),
        depth=DEPTH,
        drop_oldest=source.info.live,
        stopped=stopped,
        max_staleness_s=max_staleness_s,
    )

    def finish(inferred: Inferred) -> None:
        observation = conclude(inferred, model.manifest)
        counts = account(tally.counts.processed + 1, frames, source)
        sinks.write(observation, counts)
        tally.add(observation, counts)

    try:
        with Behind(finish, name="conclude", depth=DEPTH) as finishing:
            wanted = islice(frames, max_frames)
            for inferred in in_order(partial(infer, model=model), wanted, model.in_flight):
                finishing.put(inferred)
    finally:
        frames.close()
        source.gaps.end()
        tally.counts = account(tally.counts.processed, frames, source)


def account(processed: int, frames: Prefetch[Prepared], source: Source) -> Counts:
    """What became of every frame so far."""
    reasons = Counter(frames.reasons)
    reasons.update(source.dropped)
    gaps = source.gaps
    return Counts(
        processed=processed,
        dropped=reasons.total(),
        failed=source.failed,
        reasons=reasons,
        gaps=gaps.number,
        away_s=gaps.away_s,
        last_gap=gaps.recent[-1] if gaps.recent else None,
    )
