"""From benchmarks/results/ to README's table and a page with plots: python -m benchmarks.report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.page import write_page
from benchmarks.results import FOLDER, Results, Row, Shape, read_all
from runtime.console import run
from runtime.errors import DataError
from runtime.files import write_text

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- written by python -m benchmarks.report -->", "<!-- end -->"
NOTHING = "No device has been measured yet; `pytest benchmarks --benchmark-only --record` does."
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def report(
    results: Annotated[Path, typer.Option(metavar="DIR", help="Where the JSON lies.")] = FOLDER,
    readme: Annotated[Path, typer.Option(metavar="FILE", help="What holds the table.")] = README,
    page: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Default: report.html beside the JSON.")
    ] = None,
) -> None:
    """Write the table into the README, and the page that opens offline."""
    found = read_all(results)
    write_text(readme, with_table(readme, markdown(found)))
    print(readme)
    if found:
        print(write_page(found, page or results / "report.html"))


def with_table(readme: Path, table: str) -> str:
    """The README's text with this table between its markers. Raises DataError without markers."""
    text = readme.read_text(encoding="utf-8")
    before, opening, rest = text.partition(BEGIN)
    _, closing, after = rest.partition(END)
    if not opening or not closing:
        raise DataError(f"{readme} has no place for the table; put '{BEGIN}' and '{END}' there")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def markdown(found: Sequence[Results]) -> str:
    """For each device one table, its first size and batch in full, and what a whole run gives; what
    was timed at no size comes last, by its reason."""
    return "\n\n".join(map(_device, found)) if found else NOTHING


def _device(results: Results) -> str:
    libraries = ", ".join(f"{name} {number}" for name, number in results.versions.items())
    busy = (
        "" if results.busy <= 0.5 else f"; the machine was busy before ({results.busy} processes)"
    )
    parts = [
        f"**{results.device}**, {results.date}, {results.threads} threads{busy}. "
        f"{results.network}. {libraries}.",
    ]
    if results.shapes:
        parts.append(_table(results.shapes))
    if results.pipeline:
        parts.append(_pipeline(results))
    if results.peers:
        parts.append(_peers(results))
    if results.training:
        parts.append(_training(results))
    return "\n\n".join(parts)


def _table(shapes: Sequence[Shape]) -> str:
    first, *others = shapes
    titles = [
        "path",
        f"{first.title}: p50, p90, p99 ms",
        "spread",
        "faster",
        "of limit",
        "memory, MB",
        "J per call",
        "logits off",
        "pixels flipped",
        "water off",
        *(f"{shape.title}: p50 ms" for shape in others),
    ]
    lines = [f"| {' | '.join(titles)} |", "|---|" + "---:|" * (len(titles) - 1)]
    missing: dict[str, list[str]] = {}
    for position, row in enumerate(first.rows):
        rest = [_p50(shape.rows[position]) for shape in others]
        if row.missing and not any(rest):
            missing.setdefault(row.missing, []).append(row.path)
        else:
            lines.append(f"| {' | '.join([row.path, *_full(first, row), *rest])} |")
    empty = [""] * (len(titles) - 2)
    for reason, paths in missing.items():
        lines.append(f"| {' | '.join([', '.join(paths), f'not here: {reason}', *empty])} |")
    return "\n".join(lines)


def _full(shape: Shape, row: Row) -> list[str]:
    if not row.ms:
        return [f"not here: {row.missing}" if row.missing else f"broken: {row.wrong}", *[""] * 8]
    limit = shape.limit_ms(row)
    p50, p90, p99 = (row.quantile(share) for share in (0.5, 0.9, 0.99))
    return [
        f"{_ms(p50)}, {_ms(p90)}, {_ms(p99)}" + (" WRONG MASKS" if row.wrong else ""),
        f"{row.spread:.0%}",
        f"{shape.times_faster(row):.2f}x",
        f"{limit / p50:.0%}" if limit else "",
        f"{row.memory_mb:.0f}" if row.memory_mb else "",
        f"{row.joules:.2f}" if row.joules else "",
        f"{row.parity['mean_abs']:.2g}",
        f"{row.parity['flipped']:.3%}",
        f"{row.parity['fraction_difference']:.3%}",
    ]


def _p50(row: Row) -> str:
    return _ms(row.quantile(0.5)) + (" WRONG MASKS" if row.wrong else "") if row.ms else ""


def _ms(value: float) -> str:
    return f"{value:.1f}" if value >= 10.0 else f"{value:.2f}"


def _pipeline(results: Results) -> str:
    """Films, then the numbers of a whole process."""
    lines = [
        f"- {name}: {film['fps']:.1f} frames/s, {film['ratio']:.3f} of the network alone"
        for name, film in results.pipeline.get("films", {}).items()
    ]
    numbers = results.pipeline
    lines += [
        f"- from the start of the process to the first mask, {name}: {seconds:.2f} s"
        for name, seconds in numbers.get("first_mask_s", {}).items()
    ]
    for key, words in (
        ("memory_mb", "largest resident memory of a run: {:.0f} MB"),
        ("installed_mb", "installed with ONNX Runtime: {:.0f} MB"),
    ):
        if key in numbers:
            lines.append(f"- {words.format(numbers[key])}")
    return "A 1080p film in H.264 through the whole pipeline:\n\n" + "\n".join(lines)


def _peers(results: Results) -> str:
    lines = ["| beside | what is compared | theirs, ms | ours, ms | theirs / ours |"]
    lines.append("|---|---|---:|---:|---:|")
    for name, peer in results.peers.items():
        ratio = peer["theirs_ms"] / peer["ours_ms"]
        times = f"{peer['theirs_ms']:.1f} | {peer['ours_ms']:.1f} | {ratio:.2f}"
        lines.append(f"| {name} | {peer['what']} | {times} |")
    return "\n".join(lines)


def _training(results: Results) -> str:
    lines = [
        f"- {name}, {run['compute']}: {run['pictures_per_s']:.2f} pictures/s, {run['ratio']:.2f} "
        f"times the article's loop ({run['articles_per_s']:.2f}), {run['share']:.0%} of the "
        "machine's matrix rate"
        for name, run in results.training.items()
    ]
    return "Training VGG19UNet x1 at 224x224, eight pictures a step:\n\n" + "\n".join(lines)


if __name__ == "__main__":
    run(app)
