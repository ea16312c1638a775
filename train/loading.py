"""What the next steps need, made ahead while the network is busy with the last one."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

import cv2
from torch.utils.data import DataLoader, Dataset

AHEAD = 3
"""Results that are made before they are asked for; by each process, where processes make them."""

Made = TypeVar("Made")
Task = TypeVar("Task")


class Threads(Generic[Task, Made]):
    """Results in the order of the tasks. On a processor that trains too, more makers than a few
    threads would only take its cores away."""

    def __init__(self, make: Callable[[Task], Made], number: int) -> None:
        self._make, self._number = make, number

    def __call__(self, tasks: Sequence[Task]) -> Iterator[Made]:
        waiting: deque[Future[Made]] = deque()
        with ThreadPoolExecutor(self._number) as pool:
            try:
                for task in tasks:
                    waiting.append(pool.submit(self._make, task))
                    if len(waiting) > AHEAD:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                pool.shutdown(cancel_futures=True)


class Processes(Generic[Task, Made]):
    """The same from processes, which live as long as this does: a GPU takes batches faster than
    threads, which share Python's lock, can make them."""

    def __init__(self, make: Callable[[Task], Made], number: int) -> None:
        self._tasks: list[Task] = []
        self._loader: DataLoader[Made] = DataLoader(
            _Making(make),
            batch_size=None,
            sampler=self._tasks,
            num_workers=number,
            prefetch_factor=AHEAD,
            persistent_workers=True,
            worker_init_fn=_begin,
            multiprocessing_context="fork",
        )

    def __call__(self, tasks: Sequence[Task]) -> Iterator[Made]:
        self._tasks[:] = tasks
        yield from self._loader


class _Making(Dataset[Made], Generic[Task, Made]):
    """As a DataLoader wants it: what is asked for with a task is what is made of it."""

    def __init__(self, make: Callable[[Task], Made]) -> None:
        self._make = make

    def __getitem__(self, task: Task) -> Made:
        return self._make(task)


def _begin(_: int) -> None:
    """In each process: Ctrl-C is for the one that trains, and OpenCV's threads, of which a fork
    has none, are not waited for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(0)
