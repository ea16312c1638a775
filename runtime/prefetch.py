"""Reading ahead: the only place with a thread."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, Protocol, TypeVar


class Timed(Protocol):
    """A frame, or what was made of one."""

    @property
    def timestamp_s(self) -> float: ...


T = TypeVar("T", bound=Timed)

MAX_STALENESS_S = 0.5
"""How old a live source's frame may be when it goes to the network."""
WAKE_UP_S = 0.1
"""How often a waiting consumer looks whether it was asked to stop."""
JOIN_S = 0.2
"""How long closing waits for a reader that hangs in a device."""


def prefetch(
    frames: Iterable[T],
    depth: int = 4,
    drop_oldest: bool = False,
    stopped: Callable[[], bool] = lambda: False,
    max_staleness_s: float | None = None,
) -> Prefetch[T]:
    """Frames that are read in a thread of their own, up to `depth` ahead of who takes them.

    drop_oldest: the newest frame wins and what nobody took in time is counted as dropped, as live
    sources need it; else the reader waits, and no frame is ever lost. stopped: asked while waiting;
    ends the iteration. max_staleness_s: with drop_oldest, a frame whose timestamp (Unix time) is
    older than this many seconds when it is its turn is dropped; None sets no bound. An error of the
    reader is raised after the frames that came before it.
    """
    if not drop_oldest:
        max_staleness_s = None
    return Prefetch(frames, depth, drop_oldest, stopped, max_staleness_s)


class Prefetch(Generic[T]):
    """Iterate once. The thread ends with the iteration, or with close() when that stops early.

    reasons: how many frames were dropped because nobody took them in time ("queue full"), because
    they were too old ("stale"), or because the run ended before their turn ("stopped"). untaken:
    frames of a file that were read ahead when the run ended before their turn.
    """

    def __init__(
        self,
        frames: Iterable[T],
        depth: int,
        drop_oldest: bool,
        stopped: Callable[[], bool],
        max_staleness_s: float | None,
    ) -> None:
        self.reasons: Counter[str] = Counter()
        self.untaken = 0
        self._max_staleness_s = max_staleness_s
        self._frames = frames
        self._depth = depth
        self._drop_oldest = drop_oldest
        self._stopped = stopped
        self._queue: deque[T] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._finished = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._produce, name="prefetch", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Frames that were dropped so far, for whichever reason."""
        return self.reasons.total()

    @property
    def reading(self) -> bool:
        """Whether the thread is still there, maybe with a frame in its hands."""
        return self._thread.is_alive()

    def __iter__(self) -> Iterator[T]:
        try:
            while (frame := self._take()) is not None:
                yield frame
            if self._error is not None and not self._ended():
                raise self._error
        finally:
            self.close()

    def close(self) -> None:
        """Ends the thread; frames that were read ahead are let go. May be called twice."""
        with self._changed:
            self._closed = True
            self._let_go(len(self._queue))
            self._queue.clear()
            self._changed.notify_all()
        self._thread.join(JOIN_S)

    def _let_go(self, number: int) -> None:
        if self._drop_oldest and number:
            self.reasons["stopped"] += number
        elif number:
            self.untaken += number

    def _take(self) -> T | None:
        with self._changed:
            while not self._fresh() and not self._finished and not self._ended():
                self._changed.wait(WAKE_UP_S)
            if self._ended() or not self._queue:
                return None
            frame = self._queue.popleft()
            self._changed.notify_all()
            return frame

    def _fresh(self) -> bool:
        """Whether a frame waits that is young enough; those before it are dropped."""
        if self._max_staleness_s is not None:
            oldest_s = time.time() - self._max_staleness_s
            while self._queue and self._queue[0].timestamp_s < oldest_s:
                self._queue.popleft()
                self.reasons["stale"] += 1
        return bool(self._queue)

    def _ended(self) -> bool:
        return self._closed or self._stopped()

    def _produce(self) -> None:
        try:
            for frame in self._frames:
                if not self._put(frame):
                    return
        except BaseException as error:
            self._error = error
        finally:
            with self._changed:
                self._finished = True
                self._changed.notify_all()

    def _put(self, frame: T) -> bool:
        with self._changed:
            while len(self._queue) >= self._depth and not self._closed:
                if self._drop_oldest:
                    self._queue.popleft()
                    self.reasons["queue full"] += 1
                else:
                    self._changed.wait()
            if self._closed:
                self._let_go(1)
                return False
            self._queue.append(frame)
            self._changed.notify_all()
            return True
