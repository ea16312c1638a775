"""A latency table of one export, beside the parity of what was timed: python -m benchmarks.table.

Columns and their units are those of README's table (benchmarks.report).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.contest import Plan
from benchmarks.contestants import CONTESTANTS
from benchmarks.entry import open_entry
from benchmarks.results import Row, Shape
from runtime.console import run, say
from runtime.errors import ParityError
from runtime.sizes import parse_size

COLUMNS = (
    "path",
    "p50 ms",
    "p90",
    "p99",
    "spread",
    "faster",
    "of limit",
    "MB",
    "J",
    "logits",
    "flipped",
    "water",
)
SHOWN = ("path", "p50 ms", "p99", "faster", "of limit", "MB", "flipped")
"""What fits a terminal of 80 columns; the page has all."""
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def latency(
    exports: Annotated[
        Path, typer.Argument(help="What 'python -m export' wrote, or one artefact.")
    ],
    rounds: Annotated[int, typer.Option(min=1, help="How often each path runs at least.")] = 10,
    seconds: Annotated[float, typer.Option(min=0, help="And until so much time is over.")] = 20.0,
    size: Annotated[str | None, typer.Option(metavar="HxW", help="Default: as exported.")] = None,
    batch: Annotated[int, typer.Option(min=1, help="Frames per call.")] = 1,
    compiled: Annotated[
        bool, typer.Option("--compiled", help="Also PyTorch compiled, which takes a minute more.")
    ] = False,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Default: found in runs/ by its hash.")
    ] = None,
    data: Annotated[
        str | None, typer.Option(metavar="DIR", help="Photographs; default: the checkpoint's own.")
    ] = None,
) -> None:
    """Time every path this machine has in turn, on the same frames; exit 1 when a mask is wrong."""
    entry = open_entry(exports, checkpoint, data)
    input_size = parse_size(size) if size else entry.manifest.input_size
    contestants = tuple(each for each in CONTESTANTS if compiled or not each.compiled)
    shape = entry.run(input_size, batch, Plan(seconds=seconds, least=rounds), contestants)
    show(shape)
    say(f"on {shape.frames}; {len(shape.timed[0].ms)} rounds in turn")
    if wrong := [row.wrong for row in shape.rows if row.wrong]:
        raise ParityError("; ".join(wrong))
    say("every timed result was within its precision's limits")


def show(shape: Shape) -> None:
    """Prints the table; what is missing gets a line with its reason."""
    title = f"{shape.title}, {shape.multiply_adds / 1e9:.1f} G multiply-adds"
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in SHOWN:
        justify: Any = "left" if heading == "path" else "right"
        table.add_column(heading, justify=justify, no_wrap=True)
    for row in shape.timed:
        values = dict(zip(COLUMNS, cells(shape, row), strict=True))
        table.add_row(*map(values.get, SHOWN), style="red" if row.wrong else None)
    console = Console(highlight=False)
    console.print(table)
    for row in shape.rows:
        if reason := row.wrong or row.missing:
            console.print(f"{row.path}: {reason}", soft_wrap=True)


def cells(shape: Shape, row: Row) -> list[str]:
    """A timed row in words, one for each of COLUMNS."""
    limit = shape.limit_ms(row)
    return [
        row.path,
        *(f"{row.quantile(share):.1f}" for share in (0.5, 0.9, 0.99)),
        f"{100 * row.spread:.0f} %",
        f"{shape.times_faster(row):.2f}x",
        f"{100 * limit / row.quantile(0.5):.0f} %" if limit else "-",
        f"{row.memory_mb:.0f}" if row.memory_mb else "-",
        f"{row.joules:.2f}" if row.joules else "-",
        f"{row.parity['mean_abs']:.2g}",
        f"{100 * row.parity['flipped']:.3f} %",
        f"{100 * row.parity['fraction_difference']:.3f} %",
    ]


if __name__ == "__main__":
    run(app)
