"""Several items in work at once, their results in order."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from runtime.in_order import in_order


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_it_gives_what_map_gives(at_once: int) -> None:
    assert list(in_order(lambda number: number**2, range(7), at_once)) == [0, 1, 4, 9, 16, 25, 36]
    assert list(in_order(abs, [], at_once)) == []


def test_two_are_in_work_at_once_and_a_slow_first_one_holds_up_nothing_but_its_place() -> None:
    both = threading.Barrier(2, timeout=20)
    third_begun = threading.Event()

    def work(number: int) -> int:
        if number < 2:
            both.wait()  # passes only when the other one runs too
        if number == 0:
            assert third_begun.wait(20)
        if number == 2:
            third_begun.set()
        return number

    assert list(in_order(work, range(4), 2)) == [0, 1, 2, 3]


@pytest.mark.parametrize("at_once", [1, 2])
def test_items_are_asked_for_only_when_there_is_room(at_once: int) -> None:
    asked: list[int] = []

    def items() -> Iterator[int]:
        for number in range(9):
            asked.append(number)
            yield number

    results = in_order(lambda number: number, items(), at_once)
    assert next(results) == 0
    assert len(asked) == (1 if at_once == 1 else at_once + 1)
    results.close()


@pytest.mark.parametrize("at_once", [1, 2])
def test_an_error_comes_in_its_place_and_leaves_no_thread(at_once: int) -> None:
    before = threading.active_count()

    def work(number: int) -> int:
        if number == 2:
            raise ValueError("the third")
        return number

    results = in_order(work, range(5), at_once)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="the third"):
        next(results)
    assert threading.active_count() == before


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_what_was_begun_before_the_items_fail_is_given_first(at_once: int) -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise ValueError("no more")

    found: list[int] = []
    with pytest.raises(ValueError, match="no more"):
        for number in in_order(lambda number: number, items(), at_once):
            found.append(number)
    assert found == [0, 1, 2]
