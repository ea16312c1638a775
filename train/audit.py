"""What is wrong with a data set: python -m train.audit DIR [--pairs CSV] [--json]."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from runtime.console import run, say
from train.audit_files import take_inventory
from train.audit_findings import SUSPICIOUS, WRONG, Finding
from train.audit_rules import about_files, about_masks, about_rows
from train.audit_scenes import (
    about_duplicates,
    about_sizes,
    about_splits,
    about_swaps,
    find_scenes,
)
from train.pairs import FLOOD_AREA, is_flood_area

_SHOWN = 20
"""Findings of one kind that get a row of their own; more become one row."""
_LOG_WIDTH = 120
"""Columns of the table in a file or pipe; a terminal says its own width."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(
    epilog=f"Exit 1 when something makes training wrong: {', '.join(WRONG)}. "
    f"Only reported: {', '.join(SUSPICIOUS)}."
)
def main(
    folder: Annotated[Path, typer.Argument(help="folder with Image/ and Mask/", metavar="DIR")],
    pairs: Annotated[
        Path | None,
        typer.Option(
            help="CSV with Image, Mask, group, split", show_default="DIR/metadata.csv, or none"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
    every: Annotated[bool, typer.Option("--all", help="one row for every finding")] = False,
) -> None:
    """Everything wrong with a data set, as one table: files, pairs, masks, duplicates, splits."""
    findings = audit(folder, pairs)
    wrong = any(finding.wrong for finding in findings)
    if as_json:
        listed = [dataclasses.asdict(entry) | {"wrong": entry.wrong} for entry in findings]
        print(json.dumps({"folder": str(folder), "wrong": wrong, "findings": listed}, indent=2))
    elif findings:
        _print_table(findings, every)
    else:
        print(f"{folder}: nothing wrong")
    if pairs is None and is_flood_area(folder):
        say(
            "this is the Flood Area data set, audited as it came; training uses what "
            f"{FLOOD_AREA.name} knows of it: audit that with --pairs {_readable(FLOOD_AREA)}"
        )
    sys.exit(1 if wrong else 0)


def audit(folder: Path, table: Path | None = None) -> list[Finding]:
    """All findings about a data set, those that make training wrong first.

    Without a table the folder counts as it came, by its metadata.csv or equal stems. Raises
    DataError when there is no such folder or the table cannot be read.
    """
    inventory = take_inventory(folder, table)
    scenes = find_scenes(inventory)
    findings = [
        *about_rows(inventory),
        *about_files(inventory),
        *about_masks(inventory),
        *about_sizes(inventory, scenes),
        *about_duplicates(inventory, scenes),
        *about_splits(inventory, scenes),
        *about_swaps(inventory, scenes),
    ]
    order = [*WRONG, *SUSPICIOUS]
    return sorted(findings, key=lambda entry: (order.index(entry.kind), -(entry.score or 0)))


def _print_table(findings: Sequence[Finding], every: bool) -> None:
    table = Table("", "kind", "files", "what", "score")
    by_kind: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_kind[finding.kind].append(finding)
    for kind, members in by_kind.items():
        mark, advice = ("wrong", WRONG[kind]) if kind in WRONG else ("look", SUSPICIOUS[kind])
        table.add_section()
        table.add_row(mark, kind, f"{len(members)} in all", advice, "", style="bold")
        if len(members) > _SHOWN and not every:
            first = ", ".join(file for entry in members[:_SHOWN] for file in entry.files[:1])
            table.add_row("", "", f"{first}, ...", "--all lists every one", "")
            continue
        for entry in members:
            score = "" if entry.score is None else f"{entry.score:.2f}"
            table.add_row("", "", ", ".join(entry.files), entry.detail, score)
    console = Console()
    (console if console.is_terminal else Console(width=_LOG_WIDTH)).print(table)


def _readable(path: Path) -> Path:
    """The path as seen from here, when that is shorter."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


if __name__ == "__main__":
    run(app)
