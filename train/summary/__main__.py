"""Writes a run's report.html anew: python -m train.summary RUN."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runtime.console import run, say

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="folder of the run, runs/NAME")],
    data: Annotated[
        str | None,
        typer.Option(help="where its pictures lie now [default: as in its config.json]"),
    ] = None,
    pairs: Annotated[Path | None, typer.Option(help="CSV with the columns Image and Mask")] = None,
) -> None:
    """One page on what a run gave: scores with intervals, curves, thresholds, worst pictures."""
    from train.cache import decode_split
    from train.compute import find_compute
    from train.evaluate import open_data
    from train.record import read_record
    from train.summary.page import write_report

    record = read_record(folder)
    manifest = record.manifest
    dataset = open_data(record.folder.best, manifest, data, pairs, record.settings.get("seed"))
    if dataset.fingerprint != manifest.trained_on.fingerprint:
        say(f"note: {folder} was trained on other data than {dataset.name} holds now")
    val = decode_split(dataset, "val", manifest.input_size, manifest.resize)
    print(write_report(record.folder, val, find_compute(), progress=True))


if __name__ == "__main__":
    run(app)
