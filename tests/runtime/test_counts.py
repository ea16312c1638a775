"""Counts and gaps: the sums, and what the log says of them."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

from runtime.counts import KEPT_GAPS, Counts, Gap, Gaps
from runtime.sinks.lines import FrameLog
from tests.runtime.observations import observation


def test_what_is_seen_and_in_no_sum_is_under_way() -> None:
    counts = Counts(
        seen=9,
        processed=3,
        reasons={"stale": 1, "frozen": 1},
        failures={"unreadable": 2, "inference": 1},
    )
    assert (counts.dropped, counts.failed, counts.under_way) == (2, 3, 1)
    assert counts.totals()["seen"] == 9


def test_gaps_are_counted_for_ever_and_remembered_for_a_while() -> None:
    gaps = Gaps()
    for number in range(KEPT_GAPS + 5):
        gap = Gap(start_s=float(number), duration_s=2.0, reason="no frame")
        gaps.begin(lambda gap=gap: gap)
        assert gaps.end() == gap
        assert gaps.end() is None
    assert (gaps.number, gaps.away_s) == (KEPT_GAPS + 5, 2.0 * (KEPT_GAPS + 5))
    assert [gap.start_s for gap in gaps.recent] == [float(n) for n in range(5, KEPT_GAPS + 5)]


def test_the_first_line_after_a_gap_says_when_it_was_how_long_and_why(tmp_path: Path) -> None:
    gap = Gap(start_s=1.7e9, duration_s=12.5, reason="no frame for 5 s")
    counts = Counts(reasons={"stale": 3}, gaps=1, away_s=12.5, last_gap=gap)
    with closing(FrameLog(tmp_path / "log", max_bytes=10**6, keep=1)) as log:
        log.write(observation(0, 0.0), Counts())
        log.write(observation(1, 0.1), counts)
        log.write(observation(2, 0.2), counts)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    told = {"start_s": 1.7e9, "duration_s": 12.5, "reason": "no frame for 5 s"}
    assert [line.get("gap") for line in lines] == [None, told, None]
    assert [line["gaps"] for line in lines] == [0, 1, 1]
    assert (lines[2]["away_s"], lines[2]["reasons"]) == (12.5, {"stale": 3})
