"""What every sink is: it takes observations until it is closed."""

from __future__ import annotations

from typing import Protocol

from runtime.counts import Counts
from runtime.observe import Observation


class Sink(Protocol):
    """Raises SinkError where a result cannot be written."""

    name: str
    """The stage under which the time that it takes is shown: "masks"."""

    def write(self, observation: Observation, counts: Counts) -> None:
        """Writes one observation; counts include it."""
        ...

    def close(self) -> None:
        """Completes the files. May be called twice."""
        ...
