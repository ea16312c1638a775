"""Runs side by side: python -m train.compare RUN RUN ..."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from runtime.console import run, say
from runtime.errors import DataError
from train.metrics import LABELS, LOWER_IS_BETTER
from train.record import Record, read_record, setting

BARS = "▁▂▃▄▅▆▇█"
CURVE = 16
"""Columns of a training curve at most."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    folders: Annotated[list[Path], typer.Argument(metavar="RUN...", help="two folders or more")],
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Settings that differ, val scores of the best epoch (the best of each row is marked), pace.

    Scores are comparable where the runs' data is the same; a note says where it is not.
    """
    if len(folders) < 2:
        raise DataError(f"one run came ({folders[0]}); wanted two or more to compare")
    records = [read_record(folder) for folder in folders]
    names = run_names(folders)
    if len({record.manifest.trained_on.fingerprint for record in records}) > 1:
        say(
            "note: these runs were not trained on the same data (the fingerprints differ), "
            "so their scores cannot be compared"
        )
    elif len({record.manifest.trained_on.split for record in records}) > 1:
        say(
            "note: these runs split the same data differently, so their val scores are of other "
            "pictures"
        )
    if as_json:
        print(json.dumps({"runs": [_facts(*each) for each in zip(names, records, strict=True)]}))
        return
    Console(file=sys.stdout).print(_table(names, records))


def run_names(folders: Sequence[Path]) -> list[str]:
    """The last part of each folder's path; whole paths where two would be called the same."""
    names = [folder.resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]


def differing(records: Sequence[Record]) -> dict[str, list[Any]]:
    """The settings that are not the same in all runs: name -> value of each, None where unset."""
    keys = {key: None for record in records for key in record.settings}
    found = {key: [record.settings.get(key) for record in records] for key in keys}
    return {key: values for key, values in found.items() if any(v != values[0] for v in values)}


def best_of(name: str, values: Sequence[float | None]) -> float | None:
    """The best value of one score; None where fewer than two runs have it or all are equal."""
    known = [value for value in values if value is not None]
    if len(known) < 2 or min(known) == max(known):
        return None
    return min(known) if name in LOWER_IS_BETTER else max(known)


def sparkline(values: Sequence[float], low: float, high: float) -> str:
    """A curve in one line of text: low is the shortest bar, high the tallest."""
    step = max(1, -(-len(values) // CURVE))
    kept = [max(values[start : start + step]) for start in range(0, len(values), step)]
    spread = (high - low) or 1.0
    return "".join(BARS[round((value - low) / spread * (len(BARS) - 1))] for value in kept)


def _scores(record: Record) -> dict[str, float | None]:
    """Scores of the best epoch; None where a run of an older version did not count one."""
    row = record.best
    return {name: float(row[f"val_{name}"]) if f"val_{name}" in row else None for name in LABELS}


def _pace(record: Record) -> float:
    """Median seconds per epoch."""
    return statistics.median(float(row["seconds"]) for row in record.rows)


def _facts(name: str, record: Record) -> dict[str, Any]:
    return {
        "run": name,
        "folder": str(record.folder.path),
        "data": record.manifest.trained_on.dataset,
        "fingerprint": record.manifest.trained_on.fingerprint,
        "settings": record.settings,
        "epochs": len(record.rows),
        "best_epoch": int(record.best["epoch"]),
        "scores": _scores(record),
        "seconds_per_epoch": _pace(record),
        "val_iou": [float(row["val_iou"]) for row in record.rows],
    }


def _table(names: Sequence[str], records: Sequence[Record]) -> Table:
    table = Table(caption="* the best of its row", caption_justify="left")
    table.add_column("")
    for name in names:
        table.add_column(escape(name), justify="right", overflow="fold")
    for key, values in differing(records).items():
        table.add_row(key.replace("_", " "), *(escape(setting(value)) for value in values))
    table.add_section()
    table.add_row("best epoch", *(f"{r.best['epoch']} of {len(r.rows)}" for r in records))
    scores = [_scores(record) for record in records]
    for key, label in LABELS.items():
        values = [each[key] for each in scores]
        best = best_of(key, values)
        cells = [_score(value, value is not None and value == best) for value in values]
        table.add_row(label, *cells)
    table.add_section()
    table.add_row("seconds per epoch", *(f"{_pace(record):.1f}" for record in records))
    curves = [[float(row["val_iou"]) for row in record.rows] for record in records]
    low, high = min(map(min, curves)), max(map(max, curves))
    table.add_row(f"val IoU, {low:.2f} to {high:.2f}", *(sparkline(c, low, high) for c in curves))
    return table


def _score(value: float | None, best: bool) -> str:
    if value is None:
        return "–"
    return f"[bold]{value:.4f}*[/bold]" if best else f"{value:.4f} "


if __name__ == "__main__":
    run(app)
