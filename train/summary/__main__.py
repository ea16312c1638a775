"""Writes a run's report.html anew: python -m train.summary RUN."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runtime.console import run
from train.options import Pairs

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="folder of the run, runs/NAME")],
    data: Annotated[
        str | None,
        typer.Option(help="where its pictures lie now", show_default="as in its config.json"),
    ] = None,
    pairs: Pairs = None,
) -> None:
    """One page on what a run gave: scores with intervals, curves, thresholds, worst pictures."""
    from train.cache import decode_split
    from train.compute import find_compute
    from train.record import read_record
    from train.summary.page import write_report
    from train.trained_data import open_trained, tell_difference

    record = read_record(folder)
    manifest = record.manifest
    best = record.folder.best
    dataset = open_trained(best, manifest, data, pairs)
    tell_difference(best, manifest, dataset)
    val = decode_split(dataset, "val", manifest.input_size, manifest.resize)
    print(write_report(record.folder, val, find_compute(), progress=True))


if __name__ == "__main__":
    run(app)
