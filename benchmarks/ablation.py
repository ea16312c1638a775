"""What each ingredient of the recipes is worth: python -m benchmarks.ablation --data DIR.

Every row is trained anew with `python -m train`, once per seed; rows that the table already has
are left out, so it can be interrupted. Results lie in benchmarks/results/training/ablation.json,
from which docs/recipes.md is written.
"""

from __future__ import annotations

import csv
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from runtime.console import run, say
from runtime.errors import DataError
from runtime.files import write_text
from train.metrics import LABELS

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "training" / "ablation.json"
CURVES = RESULTS.with_name("curves.json")
PAGE = ROOT / "docs" / "recipes.md"
SHOWN = ("iou", "mean_iou", "dice", "boundary_f1", "fraction_error")

ROWS: dict[str, tuple[str, ...]] = {
    "article": ("--recipe", "article"),
    "default": (),
    "default, nothing but flips": ("--change", "augment=flips"),
    "default, no light and weather": ("--change", "augment=crops"),
    "default, no moving average": ("--change", "average=none"),
    "default, no growing pictures": ("--change", "growth=none"),
    "default, frozen encoder": ("--change", "unfrozen_from=37"),
    "default, encoder at the full rate": ("--change", "encoder_rate=1"),
    "default, no Dice": ("--change", "dice=no"),
    "default, no dropout": ("--change", "dropout=0"),
    "default, `--model unet`": ("--model", "unet", "--encoder", "none"),
    "article, `--model unet`": ("--recipe", "article", "--model", "unet", "--encoder", "none"),
}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    data: Annotated[Path, typer.Option(help="folder with Image/ and Mask/")],
    pairs: Annotated[Path | None, typer.Option(help="CSV with the columns Image and Mask")] = None,
    encoder: Annotated[
        str, typer.Option(help="weights that VGG-19 starts from: imagenet or a file")
    ] = "imagenet",
    size: Annotated[str, typer.Option()] = "224",
    epochs: Annotated[int, typer.Option(min=1)] = 40,
    seeds: Annotated[int, typer.Option(min=1)] = 3,
    row: Annotated[list[str] | None, typer.Option(help="a row to train; default: all")] = None,
) -> None:
    """Trains every row that is missing, then writes the page."""
    if unknown := set(row or ()) - set(ROWS):
        raise DataError(f"no such row: {', '.join(sorted(unknown))}; choose from: {list(ROWS)}")
    given = ["--data", str(data), *(["--pairs", str(pairs)] if pairs else [])]
    common = [*given, "--size", size, "--epochs", str(epochs)]
    table = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"runs": []}
    for seed in range(seeds):
        for name in row or ROWS:
            key = {"row": name, "size": size, "epochs": epochs, "seed": seed}
            if any(key.items() <= entry.items() for entry in table["runs"]):
                continue
            say(f"{name}, seed {seed}")
            arguments = [*common, "--seed", str(seed), "--encoder", encoder, *ROWS[name]]
            table["runs"].append({**key, "date": date.today().isoformat(), **_train(arguments)})
            write_text(RESULTS, json.dumps(table, indent=1) + "\n")
            write_text(PAGE, page(table))


def _train(arguments: list[str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        command = [sys.executable, "-m", "train", *arguments, "--out", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        if done.returncode != 0:
            raise DataError(f"'{' '.join(command[1:])}' failed: {done.stderr.strip()[-300:]}")
        return scores_of(out)


def scores_of(run_folder: Path) -> dict[str, Any]:
    """The scores of a run's best epoch on val, and the median seconds of an epoch."""
    rows = list(csv.DictReader((run_folder / "metrics.csv").read_text().splitlines()))
    best = max(rows, key=lambda row: float(row["val_iou"]))
    seconds = statistics.median(float(row["seconds"]) for row in rows)
    scores = {name: float(best[f"val_{name}"]) for name in SHOWN}
    return {**scores, "best_epoch": int(best["epoch"]), "epoch_s": seconds}


def page(table: dict[str, Any]) -> str:
    """docs/recipes.md: for each number of epochs, recipe and input size the mean over seeds, and
    the spread."""
    parts = [
        "# What each ingredient is worth\n",
        "Best epoch on `val` of Flood Area Segmentation (204 pictures to train on, 41 to score); "
        "mean over the seeds, with the range where there are several. Small pictures and few "
        "epochs show which way an ingredient points, not what it is worth in a long run; with 41 "
        "pictures to score, rows that differ by less than a point of IoU are alike. The article's "
        "recipe adds half as many epochs for its second stage. Written by "
        "`python -m benchmarks.ablation` from `benchmarks/results/training/ablation.json`.\n",
    ]
    sizes = sorted({entry["size"] for entry in table["runs"]}, key=lambda size: (len(size), size))
    for epochs in sorted({entry["epochs"] for entry in table["runs"]}):
        parts.append(f"## {epochs} epochs\n")
        titles = [LABELS[name] for name in SHOWN]
        parts.append("| recipe | input | seeds | " + " | ".join(titles) + " |")
        parts.append("|---|---:|---:|" + "---:|" * len(titles))
        for name, size in itertools.product(ROWS, sizes):
            key = {"row": name, "size": size, "epochs": epochs}
            runs = [entry for entry in table["runs"] if key.items() <= entry.items()]
            if runs:
                cells = [_cell([entry[score] for entry in runs]) for score in SHOWN]
                parts.append(f"| {name} | {size} px | {len(runs)} | " + " | ".join(cells) + " |")
        parts.append("")
    if table.get("long_runs"):
        parts += ["## Long runs\n", *(f"- {told}" for told in table["long_runs"]), ""]
    if CURVES.exists():
        parts += _curves(json.loads(CURVES.read_text()))
    return "\n".join(parts)


def _curves(facts: dict[str, Any]) -> list[str]:
    """Whether our loop learns as the published one does (benchmarks.curves)."""
    seeds = {len(curves) for curves in facts["val_iou"].values()}
    lines = [
        "## Our loop and the article's\n",
        "IoU on `val` after each epoch of both loops, from the same weights, with the published "
        f"rate, batch and augmentation, all layers trained, {facts['size']} px, mean of "
        f"{max(seeds)} seed{'s' * (max(seeds) > 1)}; ours on {facts['compute']}, the article's in "
        "float32. Written by `python -m benchmarks.curves`.\n",
        "| loop | " + " | ".join(f"epoch {n + 1}" for n in range(facts["epochs"])) + " |",
        "|---|" + "---:|" * facts["epochs"],
    ]
    for name, curves in facts["val_iou"].items():
        means = [statistics.mean(values) for values in zip(*curves, strict=True)]
        lines.append(f"| {name} | " + " | ".join(f"{mean:.3f}" for mean in means) + " |")
    return [*lines, ""]


def _cell(values: list[float]) -> str:
    mean = f"{statistics.mean(values):.3f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.3f}-{max(values):.3f})"


if __name__ == "__main__":
    run(app)
