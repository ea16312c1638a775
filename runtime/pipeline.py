"""The run: frames from a source, through the model, into the sinks, all of them accounted for."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import islice

from runtime.behind import Behind
from runtime.counts import Counts
from runtime.errors import BackendError
from runtime.failures import Failures
from runtime.in_order import in_order
from runtime.observe import Inferred, Network, Prepared, conclude, infer, prepare
from runtime.prefetch import MAX_STALENESS_S, Prefetch, prefetch
from runtime.sinks import Sinks
from runtime.sources import Source
from runtime.tally import Tally

DEPTH = 2
"""Frames that wait for the network, and as many behind it: enough to overlap, and little memory."""
SETTLE_S = 0.2
"""How long a frame may be in the reader's hands when the run is over."""


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
    """Observes every frame of a source until it ends, max_frames were given to the network, or it
    is stopped.

    Does what `for frame in prefetch(source): sinks.write(observe(frame, model))` says, with its
    stages overlapping: reading and preprocessing, the network, the decision at frame size, and
    each sink have a thread of their own (the network as many as it takes calls at once), and hand
    on in order. The tally is kept up to date throughout, so that it is right also when an error
    ends the run. A frame that the network fails on counts as failed, and the run goes on.
    Raises SourceError, or BackendError when the network fails on every frame.
    """
    frames = prefetch(
        (prepare(frame, model.manifest) for frame in source),
        depth=DEPTH,
        drop_oldest=source.info.live,
        stopped=stopped,
        max_staleness_s=max_staleness_s,
    )
    failures = Failures(source.info.uri)

    def count(processed: int) -> Counts:
        return account(processed, failures.number, frames, source)

    def finish(inferred: Inferred) -> None:
        observation = conclude(inferred, model.manifest)
        counts = count(tally.counts.processed + 1)
        sinks.write(observation, counts)
        tally.add(observation, counts)

    try:
        with Behind(finish, name="conclude", depth=DEPTH) as finishing:
            wanted = islice(frames, max_frames)
            for result in in_order(partial(attempt, model=model), wanted, model.in_flight):
                if isinstance(result, Inferred):
                    failures.over()
                    finishing.put(result)
                    continue
                failures.add(result)
                if failures.too_many:
                    frames.close()
        failures.raise_if_too_many()
    finally:
        frames.close()
        source.gaps.end()
        tally.end(settled(lambda: count(tally.counts.processed), frames), failures.last)
        sinks.end(tally.counts)


def attempt(prepared: Prepared, model: Network) -> Inferred | BackendError:
    """What the network says of a frame, or why it says nothing."""
    try:
        return infer(prepared, model)
    except BackendError as error:
        return error


def settled(count: Callable[[], Counts], frames: Prefetch[Prepared]) -> Counts:
    """The counts once a reader that is slow to end has let go of the frame in its hands."""
    end_s = time.monotonic() + SETTLE_S
    while (counts := count()).under_way and frames.reading and time.monotonic() < end_s:
        time.sleep(SETTLE_S / 100)
    return counts


def account(inferred: int, failed: int, frames: Prefetch[Prepared], source: Source) -> Counts:
    """What became of every frame so far. inferred, failed: by the network."""
    seen = source.seen - frames.untaken
    reasons = Counter(dict(frames.reasons))  # dict copies at once what other threads write to
    reasons.update(dict(source.dropped))
    failures = {"unreadable": source.failed, "inference": failed}
    gaps = source.gaps
    return Counts(
        seen=seen,
        processed=inferred,
        reasons=reasons,
        failures={kind: number for kind, number in failures.items() if number},
        gaps=gaps.number,
        away_s=gaps.away_s,
        last_gap=gaps.recent[-1] if gaps.recent else None,
    )
