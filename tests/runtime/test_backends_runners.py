"""Calls wait for a free runner, close waits for calls."""

from __future__ import annotations

import threading

import pytest

from runtime.backends.runners import Runners
from runtime.errors import BackendError


def test_a_call_waits_until_a_runner_is_free() -> None:
    runners = Runners("some backend", ["a", "b"])
    served = threading.Event()

    def third() -> None:
        with runners.one():
            served.set()

    with runners.one() as first, runners.one() as second:
        assert {first, second} == {"a", "b"}
        waiting = threading.Thread(target=third)
        waiting.start()
        assert not served.wait(0.1)
    assert served.wait(20)
    waiting.join(20)


def test_close_waits_for_running_calls_and_refuses_those_that_wait() -> None:
    runners = Runners("some backend", ["a"])
    refused, closed = threading.Event(), threading.Event()

    def late() -> None:
        with pytest.raises(BackendError, match="some backend is closed"), runners.one():
            pass
        refused.set()

    def close() -> None:
        runners.close()
        closed.set()

    with runners.one():
        threads = [threading.Thread(target=late), threading.Thread(target=close)]
        for thread in threads:
            thread.start()
        assert refused.wait(20)
        assert not closed.wait(0.1)
    for thread in threads:
        thread.join(20)
    assert closed.is_set()
    runners.close()
