from __future__ import annotations

import time

import pytest

from train.threads import in_parallel


def test_results_keep_the_order_of_their_items() -> None:
    def slow_first(number: int) -> int:
        time.sleep(0.05 if number == 0 else 0.0)
        return number * number

    assert in_parallel(slow_first, range(20), "squaring") == [n * n for n in range(20)]
    assert in_parallel(slow_first, [], "nothing") == []


def test_an_error_of_a_task_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        in_parallel(lambda number: 1 / number, [1, 0, 2], "dividing")
