"""When frames that the network fails on end a run, and how often they are told."""

from __future__ import annotations

import pytest

from runtime import failures as module
from runtime.errors import BackendError
from runtime.failures import MOST_IN_A_ROW, Failures

ERROR = BackendError("fake failed: out of memory")


def test_only_failures_in_a_row_are_too_many_and_then_it_stays_so() -> None:
    failures = Failures("camera")
    for _ in range(3):
        for _ in range(MOST_IN_A_ROW - 1):
            failures.add(ERROR)
        assert not failures.too_many
        failures.raise_if_too_many()
        failures.over()
    assert failures.number == 3 * (MOST_IN_A_ROW - 1)
    for _ in range(MOST_IN_A_ROW):
        failures.add(ERROR)
    failures.over()  # a call that was begun before
    with pytest.raises(BackendError, match=r"^10 frames in a row failed: fake failed: out of mem"):
        failures.raise_if_too_many()


def test_failures_are_told_once_a_minute_and_with_their_number(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failures, now_s = Failures("camera"), 1000.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now_s)
    for _ in range(120):
        failures.add(ERROR)
        failures.over()
        now_s += 1.0
    told = capsys.readouterr().err.splitlines()
    assert told == [
        f"camera: fake failed: out of memory (frames failed so far: {number}; going on)"
        for number in (1, 61)
    ]
