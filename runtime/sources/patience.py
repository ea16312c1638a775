"""Calls that may hang in a device or network, without deafness to Ctrl-C."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from runtime.stopping import end_if_asked

Result = TypeVar("Result")

LISTEN_S = 0.1
"""How often the waiting thread listens to signals."""


def in_background(call: Callable[[], Result]) -> Future[Result]:
    """A call in a thread of its own, which does not keep the process from ending."""
    future: Future[Result] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=work, name="patience", daemon=True).start()
    return future


def wait_for(future: Future[Result], limit_s: float | None = None) -> bool:
    """Whether it is done within so many seconds; Ctrl-C interrupts the waiting, not the call.

    Raises Stopped where the run is to end meanwhile.
    """
    end_s = math.inf if limit_s is None else time.monotonic() + limit_s
    while not wait([future], timeout=LISTEN_S).done:
        end_if_asked()
        if time.monotonic() >= end_s:
            return False
    return True
