"""MODEL_CARD.md, written from what was measured."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean
from typing import Any

from jinja2 import Environment, StrictUndefined

from benchmarks.model_card.dry import ALLOWED as DRY_ALLOWED
from benchmarks.model_card.still import ALLOWED as STILL_ALLOWED
from runtime.manifest_file import read_manifest
from runtime.shipped import FILES, shipped_model
from train.dry import dry_photographs
from train.metrics import LABELS
from train.pairs import find_pairs
from train.record import read_record

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "training" / "model.json"
CARD = ROOT / "MODEL_CARD.md"
FAILURES = ROOT / "docs" / "model_failures.png"
TEMPLATE = Path(__file__).with_name("MODEL_CARD.md.jinja")
FOLDERS = ("examples", "data", "frames", "docs", "_images", "demo")
KEPT = ("model", "width", "input_size", "epochs", "batch", "rate", "seed", "change")


def card(found: dict[str, Any]) -> str:
    """MODEL_CARD.md as it follows from the results and from the files that ship."""
    jinja = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    jinja.filters.update(percent=percent, score="{:.3f}".format, average=mean, river=river)
    return jinja.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        found=found,
        labels=LABELS,
        dry_allowed=DRY_ALLOWED,
        still_allowed=STILL_ALLOWED,
        files={precision: _file(precision) for precision in FILES},
    )


def percent(share: float, digits: int = 1) -> str:
    """0.0314 -> "3.1 %"."""
    return f"{100 * share:.{digits}f} %"


def river(name: str) -> str:
    """Whose camera and which: without the folders that a frame lies in and its number."""
    return " ".join(part for part in name.split("-") if part not in FOLDERS and not part.isdigit())


def facts_of_run(path: Path) -> dict[str, Any]:
    """Settings and validation scores of a training run, and the minutes its epochs took.

    Raises DataError and ManifestError.
    """
    record = read_record(path)
    settings = {name: record.settings.get(name) for name in KEPT}
    settings["epochs"] = len(record.rows)
    scores = record.manifest.trained_on.scores
    minutes = sum(float(row["seconds"]) for row in record.rows) / 60
    return {**settings, "scores": scores, "minutes": round(minutes), "recipe": _recipe(record)}


def learned_dry(path: Path) -> int:
    """How many photographs without water a run learned from, if they still lie there.

    Raises DataError.
    """
    folder = read_record(path).settings.get("dry")
    return len(dry_photographs(Path(folder))) if folder else 0


def learned_also(path: Path) -> int:
    """How many other photographs with masks a run learned from, if they still lie there.

    Raises DataError.
    """
    folder = read_record(path).settings.get("also")
    return len(find_pairs(Path(folder))) if folder else 0


def _recipe(record: Any) -> str:
    return " ".join((record.settings["recipe"], *record.settings.get("change", ())))


def _file(precision: str) -> dict[str, Any]:
    path = shipped_model(precision)
    parity = json.loads(path.with_name(f"{path.name}.parity.json").read_text())
    return {
        "name": path.name,
        "megabytes": round(path.stat().st_size / 1e6, 2),
        "parity": parity["summary"],
        "manifest": read_manifest(path),
    }
