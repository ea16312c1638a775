"""Measures the model that ships, or another: python -m benchmarks.model_card [--model FILE].

Writes benchmarks/results/training/model.json, from which MODEL_CARD.md is written, and a picture
of its worst generated scenes.
"""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.model_card.dry import measure_dry
from benchmarks.model_card.page import (
    CARD,
    FAILURES,
    RESULTS,
    card,
    facts_of_run,
    learned_also,
    learned_dry,
)
from benchmarks.model_card.rivers import measure_clips, measure_rivers
from benchmarks.model_card.scenes import measure_scenes
from benchmarks.model_card.still import measure_still
from runtime.console import run, say
from runtime.files import write_text
from runtime.shipped import shipped_model
from train.bootstrap import intervals
from train.dataset import Photographs
from train.evaluate import count_samples, count_split, open_artefact
from train.metrics import score
from train.pairs import find_pairs
from train.trained_data import open_trained

ROWS = ("teacher", "student", "student, further", "student, again")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    model: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Default: the model that ships.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="folder with Image/ and Mask/")] = None,
    pairs: Annotated[Path | None, typer.Option(help="CSV with the columns Image and Mask")] = None,
    dry: Annotated[
        list[Path] | None,
        typer.Option(help="a folder of photographs without any water; may be repeated"),
    ] = None,
    water: Annotated[
        Path | None,
        typer.Option(help="folder with Image/ and Mask/ of lakes, rivers and the sea"),
    ] = None,
    rivers: Annotated[
        Path | None, typer.Option(help="folder with Image/ and Mask/ of cameras at rivers")
    ] = None,
    clips: Annotated[
        Path | None, typer.Option(help="folder of films of rivers, or of folders of their frames")
    ] = None,
    teacher: Annotated[Path | None, typer.Option(help="the run that taught it")] = None,
    student: Annotated[
        list[Path] | None,
        typer.Option(help="the runs it comes from, each learned further from those before"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="print the numbers only, and write no page")
    ] = False,
) -> None:
    """Scores on photographs, where --data names them; false water; steadiness; light and weather.

    What is not measured this time is kept from the last, where it was of the same weights.
    """
    path = model or shipped_model()
    with open_artefact(path) as opened:
        found: dict[str, Any] = {
            "date": date.today().isoformat(),
            "artefact": path.name,
            "bytes": path.stat().st_size,
            "backend": opened.backend.name,
            "checkpoint_sha256": opened.manifest.provenance.checkpoint_sha256,
            "manifest": _facts(opened.manifest),
        }
        if teacher and student:
            runs = zip(ROWS, (teacher, *student), strict=False)
            found["training"] = {name: facts_of_run(run) for name, run in runs}
            found["learned_dry"] = learned_dry(student[-1])
            found["learned_also"] = learned_also(student[-1])
        photographs = None
        if data is not None:
            dataset = open_trained(path, opened.manifest, data, pairs)
            photographs = dataset.splits["val"]
            found["val"] = _scores(count_split(opened, dataset, "val"))
        if water is not None:
            found["water"] = _scores(count_samples(opened, Photographs(find_pairs(water)), "water"))
        if rivers is not None:
            found["rivers"] = measure_rivers(opened, Photographs(find_pairs(rivers)))
        if clips is not None:
            found["clips"] = measure_clips(opened, clips)
        found["dry"] = measure_dry(opened, dry or ())
        found["still"] = measure_still(opened, photographs)
        found["scenes"] = measure_scenes(opened, None if as_json else FAILURES)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if kept.get("checkpoint_sha256") == found["checkpoint_sha256"]:
        found = {**kept, **found}
    write_text(RESULTS, json.dumps(found, indent=1) + "\n")
    write_text(CARD, card(found))
    say(f"written: {RESULTS}, {CARD}, {FAILURES}")


def _scores(counts: NDArray[np.int64]) -> dict[str, Any]:
    return {
        "pictures": len(counts),
        "scores": dataclasses.asdict(score(counts)),
        "intervals": intervals(counts),
    }


def _facts(manifest: Any) -> dict[str, Any]:
    names = ("model", "width", "input_size", "resize", "threshold", "precision")
    return {name: getattr(manifest, name) for name in names}


if __name__ == "__main__":
    run(app)
