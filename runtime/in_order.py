"""Several items in work at once, their results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_order(work: Callable[[T], R], items: Iterable[T], at_once: int) -> Iterator[R]:
    """What `map` gives, with `at_once` items in work while the next result is waited for, and one
    more taken that begins when one of them is done, be it not the next: nobody waits for the order.

    One at a time is done in the caller's own thread. An error of the work or of the items is
    raised in its place: what was begun before is given first.
    """
    if at_once == 1:
        yield from map(work, items)
        return
    begun: deque[Future[R]] = deque()
    failure: Exception | None = None
    upcoming = iter(items)
    with ThreadPoolExecutor(at_once, "in order") as pool:
        while True:
            try:
                begun.append(pool.submit(work, next(upcoming)))
            except StopIteration:
                break
            except Exception as error:
                failure = error
                break
            if len(begun) > at_once:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    if failure is not None:
        raise failure
