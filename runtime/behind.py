"""Writing behind: the counterpart of prefetch, for work that nobody waits for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")

IDLE_S = 1.0
"""How often `idle` is called while there is nothing to do."""


class Behind(Generic[T]):
    """Does `work` on items in a thread of its own, in order, at most `depth` items behind.

    An error of the work ends the thread and is raised by the next put or by close. Ends with
    close(), which first finishes everything that was put.
    """

    def __init__(
        self,
        work: Callable[[T], None],
        *,
        name: str,
        depth: int = 4,
        skip_when_full: bool = False,
        idle: Callable[[], None] = lambda: None,
    ) -> None:
        """skip_when_full: put gives an item up instead of waiting. idle: called in the thread when
        it has had nothing to do for a while."""
        self._work, self._idle = work, idle
        self._depth = depth
        self._skip_when_full = skip_when_full
        self._queue: deque[T] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, item: T) -> bool:
        """Hands an item over, waiting for room; False when it was given up instead, as after
        close."""
        with self._changed:
            if not self._skip_when_full:
                self._changed.wait_for(self._has_room)
            self._raise_error()
            if self._closed or len(self._queue) >= self._depth:
                return False
            self._queue.append(item)
            self._changed.notify_all()
            return True

    def close(self, timeout_s: float | None = None) -> bool:
        """Waits until everything that was put is done; False when that took longer than timeout_s.

        May be called twice.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        self._raise_error()
        return not self._thread.is_alive()

    def _has_room(self) -> bool:
        return len(self._queue) < self._depth or self._closed or self._error is not None

    def _raise_error(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            self._closed = True
            raise error

    def _run(self) -> None:
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._queue or self._closed, IDLE_S)
                    if not self._queue and self._closed:
                        return
                    item = self._queue.popleft() if self._queue else None
                    self._changed.notify_all()
                if item is None:
                    self._idle()
                else:
                    self._work(item)
                    del item  # a frame is large: it must not live until the next one comes
        except BaseException as error:
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
