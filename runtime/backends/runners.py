"""Which call runs when: as many at once as a backend can, the others wait, and close waits too."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

from runtime.backends.checks import closed

T = TypeVar("T")


class Runners(Generic[T]):
    """Sessions or requests of a library, each of which serves one call at a time."""

    def __init__(self, backend: str, runners: Sequence[T]) -> None:
        """backend: whose they are, for the message after close."""
        self._backend = backend
        self._free = deque(runners)
        self._number = len(runners)
        self._changed = threading.Condition()
        self._closed = False

    @contextmanager
    def one(self) -> Iterator[T]:
        """A free one, for the block. Raises BackendError after close."""
        with self._changed:
            self._changed.wait_for(lambda: self._free or self._closed)
            if self._closed:
                raise closed(self._backend)
            runner = self._free.popleft()
        try:
            yield runner
        finally:
            with self._changed:
                self._free.append(runner)
                self._changed.notify_all()

    def close(self) -> None:
        """Waits for the calls that run, then lets go of all. May be called twice."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: len(self._free) == self._number)
            self._free.clear()
            self._number = 0
