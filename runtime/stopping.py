"""Ending cleanly: the first Ctrl-C or SIGTERM asks, the second ends at once."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

SHOW_CURSOR = "\x1b[?25h"


class Stop:
    """Whether the run was asked to end. A plain attribute, because it is set inside a signal
    handler, where taking any lock could hang."""

    def __init__(self) -> None:
        self.requested = False

    def __call__(self) -> bool:
        return self.requested


class Stopped(KeyboardInterrupt):
    """The run was asked to end before it began. Raised at a safe place by end_if_asked, never
    inside a handler, where an import or a library could swallow it."""


_heard: Stop | None = None
"""What the handlers set, while there are any."""


@contextlib.contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """A Stop that SIGINT and SIGTERM set while the block runs; a second signal ends the process.

    Inside another such block it is the same Stop. Outside the main thread, where Python allows no
    handlers, signals stay as they were.
    """
    global _heard
    stop = Stop()

    def handle(number: int, _: FrameType | None) -> None:
        if stop.requested:
            if sys.stderr.isatty():
                os.write(sys.stderr.fileno(), SHOW_CURSOR.encode())
            os._exit(128 + number)
        stop.requested = True

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    if _heard is not None:
        yield _heard
        return
    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    _heard = stop
    try:
        yield stop
    finally:
        _heard = None
        for number, handler in previous.items():
            signal.signal(number, handler)


def end_if_asked() -> None:
    """Looks between two steps whether a signal came meanwhile. Raises Stopped."""
    if _heard is not None and _heard.requested:
        raise Stopped


def unwind_on_sigterm() -> None:
    """SIGTERM ends the process like Ctrl-C, by an exception, so that no half-written file stays.
    Where something listens to it already, and outside the main thread, it stays as it was."""
    main = threading.current_thread() is threading.main_thread()
    if main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _unwind)


def _unwind(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)


def interrupt_on_signals() -> None:
    """Ctrl-C raises KeyboardInterrupt again, and SIGTERM ends the process: for commands that do
    not look at a Stop; a stop_on_signals from here on listens anew. Raises Stopped where a signal
    came before."""
    global _heard
    end_if_asked()
    if _heard is not None:
        _heard = None
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def end_at_once(code: int) -> NoReturn:
    """Ends the process without waiting for threads that hang in a device or on a disk."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
