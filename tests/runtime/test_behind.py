"""Writing behind: in order, bounded, and errors reach the one who hands over."""

from __future__ import annotations

import threading

import pytest

from runtime import behind
from runtime.behind import Behind


def test_everything_is_done_in_order_before_close_returns() -> None:
    done: list[int] = []
    with Behind(done.append, name="test", depth=2) as working:
        for number in range(100):
            assert working.put(number)
    assert done == list(range(100))
    assert not [each for each in threading.enumerate() if each.name == "test"]


def test_no_more_than_depth_waits() -> None:
    go, taken = threading.Event(), list[int]()

    def work(number: int) -> None:
        assert go.wait(20)

    with Behind(work, name="test", depth=2, skip_when_full=True) as working:
        while not working.put(0):
            pass
        taken = [number for number in range(50) if working.put(number)]
        go.set()
    assert 1 <= len(taken) <= 2


def test_an_error_is_raised_by_the_next_put_or_by_close() -> None:
    def work(number: int) -> None:
        raise ValueError(f"no {number}")

    working = Behind(work, name="test", depth=1)
    with pytest.raises(ValueError, match="no 7"):
        for _ in range(3):
            working.put(7)
    assert not working.put(8), "what comes after it is refused"
    working.close()
    working = Behind(work, name="test")
    working.put(7)
    with pytest.raises(ValueError, match="no 7"):
        working.close()


def test_closing_does_not_wait_longer_than_asked_for_work_that_hangs() -> None:
    go = threading.Event()
    working = Behind(lambda number: go.wait(20), name="test")  # type: ignore[arg-type, return-value]
    working.put(1)
    assert not working.close(timeout_s=0.05)
    go.set()
    assert working.close()


def test_idle_is_called_when_there_is_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(behind, "IDLE_S", 0.01)
    called = threading.Event()
    with Behind(id, name="test", idle=called.set):
        assert called.wait(20)
