"""A time in which a live source gives nothing: how long it lasts, and when to try again."""

from __future__ import annotations

import random
import time

from runtime.counts import Gap
from runtime.sources.options import LiveOptions


class Absence:
    """A gap while it lasts."""

    def __init__(
        self, reason: str, began_s: float | None, options: LiveOptions, told: str = ""
    ) -> None:
        """began_s: when the last frame before it came, by time.monotonic(), for a box sets its
        clock while cameras are away; None: now. told: the sentence that says what happened."""
        self.reason, self.told = reason, told
        self.explained = False
        self._began_s = time.monotonic() if began_s is None else began_s
        self._start_s = time.time() - self.seconds
        self._limit_s = options.give_up_after_s
        self._pause_s, self._longest_s = options.first_pause_s, options.longest_pause_s

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began_s

    @property
    def too_long(self) -> bool:
        """Whether it is time to give up."""
        return self._limit_s is not None and self.seconds >= self._limit_s

    def given_up(self) -> str:
        """The end of the sentence: what to tell when it is too long."""
        return (
            f"{self.told} within {self._limit_s:g} s; check the cable, the power and the network, "
            "and start again"
        )

    def next_pause_s(self) -> float:
        """Doubles each time, by chance up to half shorter, so that many do not knock at once."""
        pause_s = self._pause_s * random.uniform(0.5, 1.0)
        self._pause_s = min(self._pause_s * 2, self._longest_s)
        if self._limit_s is None:
            return pause_s
        return min(pause_s, max(0.0, self._limit_s - self.seconds))

    def over(self) -> Gap:
        """The gap that it was."""
        return Gap(start_s=self._start_s, duration_s=self.seconds, reason=self.reason)
