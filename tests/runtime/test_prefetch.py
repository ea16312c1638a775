"""Reading ahead: nothing lost from files, the newest from live sources, no thread left over."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import numpy as np
import pytest

from runtime.errors import SourceError
from runtime.images import Frame
from runtime.prefetch import prefetch

IMAGE = np.zeros((1, 1, 3), np.uint8)


def frames(number: int, produced: Callable[[int], object] = id) -> Iterator[Frame]:
    for index in range(number):
        yield Frame(image=IMAGE, index=index, timestamp_s=float(index), name=str(index))
        produced(index)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "prefetch"]


def test_every_frame_of_a_file_comes_once_and_in_order() -> None:
    ahead = prefetch(frames(500), depth=3)
    assert [frame.index for frame in ahead] == list(range(500))
    assert ahead.dropped == 0
    assert threads() == []


def test_a_file_is_read_no_further_ahead_than_depth() -> None:
    produced: list[int] = []
    full = threading.Event()

    def note(index: int) -> None:
        produced.append(index)
        if index == 3:
            full.set()

    with closing(prefetch(frames(100, note), depth=4)) as ahead:
        assert full.wait(10)
        assert produced == [0, 1, 2, 3]
        assert next(iter(ahead)).index == 0


def test_a_live_source_keeps_the_newest_and_counts_the_rest() -> None:
    finished = threading.Event()
    ahead = prefetch(
        frames(100, lambda index: finished.set() if index == 99 else None),
        depth=4,
        drop_oldest=True,
    )
    assert finished.wait(10)
    assert [frame.index for frame in ahead] == [96, 97, 98, 99]
    assert ahead.dropped == 96
    assert ahead.reasons == {"queue full": 96}


def test_an_error_comes_after_the_frames_before_it() -> None:
    def breaking() -> Iterator[Frame]:
        yield from frames(3)
        raise SourceError("the cable is out")

    taken = []
    with pytest.raises(SourceError, match=r"the cable is out"):
        for frame in prefetch(breaking()):
            taken.append(frame.index)
    assert taken == [0, 1, 2]
    assert threads() == []


@pytest.mark.parametrize("drop_oldest", [True, False])
def test_a_consumer_that_stops_early_leaves_no_thread(drop_oldest: bool) -> None:
    ahead = prefetch(frames(10**9), depth=2, drop_oldest=drop_oldest)
    for _ in ahead:
        break
    ahead.close()
    ahead.close()
    assert threads() == []


def test_a_request_to_stop_ends_waiting_for_a_source_that_hangs() -> None:
    hang, stop = threading.Event(), threading.Event()

    def hanging() -> Iterator[Frame]:
        yield from frames(1)
        hang.wait(30)

    taken = []
    for frame in prefetch(hanging(), stopped=stop.is_set):
        taken.append(frame.index)
        threading.Timer(0.05, stop.set).start()
    hang.set()
    assert taken == [0]


def test_an_error_after_the_request_to_stop_is_not_raised() -> None:
    def breaking() -> Iterator[Frame]:
        yield from frames(1)
        raise SourceError("closed under its hands")

    stopping: list[bool] = []
    for _ in prefetch(breaking(), stopped=lambda: bool(stopping)):
        stopping.append(True)


def test_what_is_too_old_when_its_turn_comes_is_dropped() -> None:
    now_s = time.time()
    ages_s = (90.0, 60.0, 0.0, -60.0)
    finished = threading.Event()

    def ageing() -> Iterator[Frame]:
        for index, age_s in enumerate(ages_s):
            yield Frame(image=IMAGE, index=index, timestamp_s=now_s - age_s, name=str(index))
        finished.set()

    ahead = prefetch(ageing(), drop_oldest=True, max_staleness_s=30.0)
    assert finished.wait(10)
    assert [frame.index for frame in ahead] == [2, 3]
    assert ahead.reasons == {"stale": 2}


def test_a_file_has_no_age() -> None:
    ahead = prefetch(frames(20), drop_oldest=False, max_staleness_s=0.5)
    assert len(list(ahead)) == 20
    assert ahead.dropped == 0


@pytest.mark.parametrize("taken", [0, 1, 7, 50])
def test_every_frame_of_a_live_source_is_taken_or_dropped_for_a_reason(taken: int) -> None:
    """However early the run ends, what the source gave is accounted for."""
    given: list[int] = []
    ahead = prefetch(frames(50, given.append), depth=3, drop_oldest=True)
    got = 0
    for _ in ahead:
        got += 1
        if got >= taken:
            break
    ahead.close()
    assert got + ahead.dropped in (len(given), len(given) + 1), "one may still be on its way"
    assert threads() == []


@pytest.mark.parametrize("taken", [1, 7, 50])
def test_frames_of_a_file_that_were_read_in_vain_are_counted(taken: int) -> None:
    produced: list[int] = []

    def counted() -> Iterator[Frame]:
        for frame in frames(50):
            produced.append(frame.index)
            yield frame

    ahead = prefetch(counted(), depth=3)
    got = len(list(itertools.islice(ahead, taken)))
    ahead.close()
    assert got == taken
    assert got + ahead.untaken == len(produced)
    assert not ahead.reading
