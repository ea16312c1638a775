"""docs/reliability.md claims nothing that no test shows."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent
TABLE = TESTS.parents[1] / "docs" / "reliability.md"


def rows() -> list[list[str]]:
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if not set("".join(row)) <= set("-: ") and row[-1] != "test"]


def test_each_row_says_what_how_and_then_what_and_names_a_test_that_exists() -> None:
    assert len(rows()) > 20
    for row in rows():
        assert len(row) == 4, row
        assert all(row), row
        match = re.fullmatch(r"`(test_\w+\.py)::(test_\w+)`", row[-1])
        assert match, row
        source = (TESTS / match[1]).read_text()
        assert re.search(rf"^def {match[2]}\(", source, re.MULTILINE), row[-1]


def test_every_test_of_real_streams_has_its_row() -> None:
    told = TABLE.read_text()
    tests = re.findall(r"^def (test_\w+)", (TESTS / "test_streams.py").read_text(), re.MULTILINE)
    assert [name for name in tests if name not in told] == []
