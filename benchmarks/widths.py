"""Which network to ship: python -m benchmarks.widths EXPORT EXPORT ... --data DIR.

The INT8 file of each export folder is scored on val through the runtime, then all are timed in
turn, frame by frame, in ONNX Runtime and in OpenVINO within one process. Results lie in
benchmarks/results/training/widths.json, from which docs/widths.md and its picture are made; a
folder's name is what its row is called.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import onnx
import typer
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from benchmarks.ablation import ROOT
from benchmarks.device import device_name
from benchmarks.graphs import find_artefacts, multiply_adds
from export.frames import proof_frames
from runtime.console import run, say
from runtime.errors import ModelError
from runtime.files import write_text
from runtime.manifest_file import read_manifest
from runtime.model import Model, load_model
from train import plots
from train.bootstrap import intervals
from train.evaluate import count_split
from train.metrics import score
from train.samples import DataSet
from train.trained_data import open_trained, tell_difference

RESULTS = ROOT / "benchmarks" / "results" / "training" / "widths.json"
PAGE = ROOT / "docs" / "widths.md"
PICTURE = PAGE.with_suffix(".png")
LIBRARIES = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}
FRAMES = 8

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    exports: Annotated[list[Path], typer.Argument(help="export folders with an INT8 graph")],
    data: Annotated[str, typer.Option(help="folder with Image/ and Mask/")],
    pairs: Annotated[Path | None, typer.Option(help="CSV with the columns Image and Mask")] = None,
    rounds: Annotated[int, typer.Option(min=2, help="times that each is timed")] = 60,
    note: Annotated[str, typer.Option(help="how they were made, for the page")] = "",
) -> None:
    """Scores and times all of them, then writes the page."""
    files = {folder.name: _int8_graph(folder) for folder in exports}
    manifests = {path: read_manifest(path) for path in files.values()}
    first, manifest = next(iter(manifests.items()))
    dataset = open_trained(first, manifest, data, pairs)
    for path, manifest in manifests.items():
        tell_difference(path, manifest, dataset)
    rows = {name: _scored(path, dataset) for name, path in files.items()}
    for name, times in _in_turn(files, dataset, rounds).items():
        rows[name]["ms"] = times
    facts = {"date": date.today().isoformat(), "device": device_name(), "note": note, "rows": rows}
    write_text(RESULTS, json.dumps(facts, indent=1) + "\n")
    write_text(PAGE, page(facts))
    draw(facts)
    say(f"written: {RESULTS}, {PAGE}, {PICTURE}")


def _int8_graph(folder: Path) -> Path:
    artefacts = find_artefacts(folder)
    if "int8" not in artefacts:
        raise ModelError(f"{folder} holds no INT8 graph; make one with 'python -m export --int8'")
    return artefacts["int8"]


def _scored(path: Path, dataset: DataSet) -> dict[str, Any]:
    say(f"scoring {path} ...")
    with load_model(path) as model:
        counts = count_split(model, dataset, "val")
        manifest = model.manifest
    scores = score(counts)
    return {
        "network": f"{manifest.model} x{manifest.width:g}",
        "size": list(manifest.input_size),
        "bytes": path.stat().st_size,
        "multiply_adds": multiply_adds(onnx.load(path)),
        "iou": round(scores.iou, 4),
        "interval": [round(end, 4) for end in intervals(counts)["iou"]],
        "boundary_f1": round(scores.boundary_f1, 4),
    }


def _in_turn(
    files: Mapping[str, Path], dataset: DataSet, rounds: int
) -> dict[str, dict[str, list[float]]]:
    """Name -> library -> quartiles in milliseconds of one frame; the first round is left out."""
    with contextlib.ExitStack() as opened:
        runners: dict[tuple[str, str], tuple[Model, Any]] = {}
        for name, path in files.items():
            inputs = proof_frames(dataset, read_manifest(path), FRAMES).inputs
            for library in LIBRARIES:
                runners[name, library] = (opened.enter_context(load_model(path, library)), inputs)
        spent: dict[tuple[str, str], list[float]] = {key: [] for key in runners}
        for number in range(rounds + 1):
            for key, (model, inputs) in runners.items():
                frame = inputs[number % len(inputs)][None]
                start = time.perf_counter()
                model.infer(frame)
                spent[key].append(1000 * (time.perf_counter() - start))
    return {
        name: {
            library: [round(each, 2) for each in statistics.quantiles(spent[name, library][1:])]
            for library in LIBRARIES
        }
        for name in files
    }


def page(facts: Mapping[str, Any]) -> str:
    """docs/widths.md, the fastest network first."""
    lines = [
        "# Width against IoU and latency\n",
        "INT8 files on the 41 `val` pictures of Flood Area Segmentation, through the runtime; the "
        "network alone on one frame, all timed in turn in one process, median with quartiles, on "
        f"{facts['device']}, {facts['date']}. Written by `python -m benchmarks.widths`.\n",
        f"{facts['note']}\n",
        "![IoU against milliseconds a frame](widths.png)\n",
        "| | network | input | MB | multiply-adds | IoU (95% interval) | boundary F1 | "
        + " | ".join(f"{library}, ms" for library in LIBRARIES.values())
        + " |",
        "|---|---|---|---:|---:|---:|---:|" + "---:|" * len(LIBRARIES),
    ]
    for name, row in _sorted(facts):
        low, high = row["interval"]
        cells = [
            f"| {name} | {row['network']} | {row['size'][0]}x{row['size'][1]}",
            f"{row['bytes'] / 1e6:.2f}",
            f"{row['multiply_adds'] / 1e9:.2f} G",
            f"{row['iou']:.3f} ({low:.3f}-{high:.3f})",
            f"{row['boundary_f1']:.3f}",
            *(
                f"{row['ms'][each][1]:.1f} ({row['ms'][each][0]:.1f}-{row['ms'][each][2]:.1f})"
                for each in LIBRARIES
            ),
        ]
        lines.append(" | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def draw(facts: Mapping[str, Any]) -> None:
    """The curve: one line per library over all networks, milliseconds on a logarithmic axis."""
    drawn = plots.figure(8.0, 4.4)
    axes = drawn.subplots()
    rows = _sorted(facts)
    for library, colour in zip(LIBRARIES, (plots.ORANGE, plots.BLUE), strict=True):
        ms = [row["ms"][library][1] for _, row in rows]
        ious = [row["iou"] for _, row in rows]
        axes.plot(ms, ious, "o", color=colour, label=LIBRARIES[library])
    for (name, _), x, y in zip(rows, ms, ious, strict=True):  # beside the last library's point
        axes.annotate(name, (x, y), (-4, 5), textcoords="offset points", fontsize=8, ha="right")
    axes.set_xscale("log")
    axes.set_xticks((2, 5, 10, 20, 50, 100, 200), minor=False)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(left=2)
    axes.set_xlabel("milliseconds a frame, INT8")
    plots.dress(axes, "val IoU", "lower right")
    plots.save(drawn, PICTURE)


def _sorted(facts: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted(facts["rows"].items(), key=lambda item: item[1]["ms"]["openvino"][1])


if __name__ == "__main__":
    run(app)
