"""What the doctor finds: one line per topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

MARKS = {"ok": "ok  ", "note": "note", "fail": "FAIL"}


@dataclass(frozen=True)
class Finding:
    """One line. level: "fail" when the default run fails because of it, "note" when something is
    missing or doubtful that it does not need. text: what was found and, unless ok, what to do."""

    topic: str
    level: Literal["ok", "note", "fail"]
    text: str


def passed(findings: Sequence[Finding]) -> bool:
    """Whether the default run would work."""
    return all(finding.level != "fail" for finding in findings)


def as_lines(findings: Sequence[Finding]) -> list[str]:
    """For people: level, topic and text in columns, each finding on one line."""
    width = max(len(finding.topic) for finding in findings)
    return [
        f"{MARKS[finding.level]}  {finding.topic:<{width}}  {' '.join(finding.text.split())}"
        for finding in findings
    ]
