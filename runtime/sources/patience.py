"""Calls that may hang in a device or network, without deafness to Ctrl-C."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

LISTEN_S = 0.1
"""How often the waiting thread listens to signals."""


def patiently(call: Callable[[], Result]) -> Result:
    """The result of a call, or its error; Ctrl-C interrupts the waiting, not the call."""
    results: list[Result] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work, name="connect", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(LISTEN_S)
    if errors:
        raise errors[0]
    return results[0]
