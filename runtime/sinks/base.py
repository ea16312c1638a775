"""What every sink is: it takes observations until it is closed."""

from __future__ import annotations

from typing import Protocol

from runtime.counts import Counts
from runtime.observe import Observation


class Sink(Protocol):
    """Used by one thread at a time. Raises SinkError where a result cannot be written; the next
    write may then work again, because a disk may have room again."""

    name: str
    """The stage under which the time that it takes is shown: "masks"."""

    def write(self, observation: Observation, counts: Counts) -> None:
        """Writes one observation; counts include it."""
        ...

    def flush(self) -> None:
        """Puts what was written onto the disk itself; called about every second."""
        ...

    def end(self, counts: Counts) -> None:
        """The run is over, and these are its totals. Called once, before close; never where the
        process ends otherwise."""
        ...

    def close(self) -> None:
        """Completes the files. May be called twice."""
        ...
