"""The connection to a camera or stream: made in the background, and again whenever it is lost."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, wait

from runtime.console import say
from runtime.counts import Gaps
from runtime.errors import SourceError
from runtime.sources.absence import Absence
from runtime.sources.address import Address
from runtime.sources.capture import Capture
from runtime.sources.connection import Fault, connect, is_recording, why
from runtime.sources.options import LiveOptions

LOOK_S = 0.2
"""How often one looks, while the first connection is made, whether it is still wanted."""


class Link:
    """Connects, says what is wrong, waits, and records the gaps; gives up when it is time to."""

    def __init__(
        self, shown: str, address: Address, options: LiveOptions, first: Future[Capture | Fault]
    ) -> None:
        """shown: its name in messages. first: the first try to connect, which may still go on; what
        it opens is closed with this link."""
        self._shown = shown
        self.gaps = Gaps()
        self.closing = threading.Event()
        self.capture: Capture | None = None
        """The connection of now; None before the first."""
        self._address, self._options, self._first = address, options, first
        self._opened_s = time.monotonic()
        self._absence: Absence | None = None
        self._last_frame_s: float | None = None
        if first.done() and isinstance(got := first.result(), Capture):
            self.capture = got

    def start(self) -> None:
        """Returns when there is a first connection, or when closing. Raises SourceError."""
        while not wait([self._first], LOOK_S).done:
            if self.closing.is_set():
                return
        got = self._first.result()
        if isinstance(got, Capture):
            if is_recording(self._address, got):
                raise SourceError(
                    f"{self._shown} is a recording whose server took more than "
                    f"{self._options.start_s:g} s to answer; name it alone, without other sources, "
                    "or copy it here and name the copy"
                )
            self.capture = got
            return
        if got.for_good:
            raise SourceError(got.line)
        told = f"{got.line}; it did not come"
        self._absence = Absence("not there at the start", self._opened_s, self._options, told)
        self._absence.explained = True
        limit_s = self._options.give_up_after_s
        until = "until it is there" if limit_s is None else f"for {limit_s:g} s"
        say(f"{got.line}; waiting {until}")
        self._try_on(self._absence)

    def again(self, reason: str) -> None:
        """Returns when there is a connection, or when closing. reason: why the one before is of no
        use. Raises SourceError to give up."""
        if self.capture is not None:
            self.capture.close()
        if self.closing.is_set():
            return
        if self._absence is None:
            told = f"{self._shown} was lost ({reason}) and did not come back"
            self._absence = Absence(reason, self._last_frame_s, self._options, told)
            say(f"{self._shown}: lost ({reason}); reconnecting")
        self._try_on(self._absence)

    def proved(self) -> float:
        """A new frame came over it, which ends the gap. Returns its Unix time in seconds."""
        self._absence = None
        if (gap := self.gaps.end()) is not None:
            say(f"{self._shown}: back after {gap.duration_s:.1f} s")
        self._last_frame_s = time.monotonic()
        return time.time()

    def close(self) -> None:
        """Ends waiting and the connection, also one that comes when nobody wants it any more."""
        self.closing.set()
        self.gaps.end()
        if self.capture is not None:
            self.capture.close()
        self._first.add_done_callback(_close)

    def _try_on(self, absence: Absence) -> None:
        self.gaps.begin(absence.over)
        while not self.closing.wait(absence.next_pause_s()):
            if absence.too_long:
                self.gaps.end()
                raise SourceError(absence.given_up())
            self.capture = connect(self._address, self._options)
            if self.closing.is_set():
                self.capture.close()
            if self.capture.is_open:
                return
            if not absence.explained:
                say(f"{why(self._address, self._options).line}; trying on")
                absence.explained = True


def _close(first: Future[Capture | Fault]) -> None:
    if first.exception() is None and isinstance(capture := first.result(), Capture):
        capture.close()
