"""The numbers, pictures and plots of a run, put into one page."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
from torch import nn

import runtime
from runtime.files import write_text
from train.bootstrap import intervals
from train.cache import Pictures
from train.checkpoint import load_checkpoint
from train.compute import Compute
from train.metrics import LABELS, score
from train.record import Record, read_record, setting
from train.run_folder import RunFolder
from train.samples import GENERATED
from train.summary import pictures as shown
from train.summary import plots
from train.summary.numbers import THRESHOLDS, Numbers, measure

TEMPLATE = "report.html.jinja"


def write_report(
    folder: RunFolder, val: Pictures, compute: Compute, progress: bool = False
) -> Path:
    """Writes report.html of the best weights and returns its path.

    val: at network size. progress: with a progress bar of its own, for a terminal on which no
    other one runs. Raises DataError, ManifestError, ModelError and SinkError.
    """
    record = read_record(folder.path)
    model, manifest = load_checkpoint(folder.best)
    model.to(compute.device)
    numbers = measure(model, val, compute, manifest.threshold, progress)
    path = folder.report
    write_text(path, _template().render(_content(record, model, val, numbers, compute)))
    return path


def _content(
    record: Record, model: nn.Module, val: Pictures, numbers: Numbers, compute: Compute
) -> dict[str, Any]:
    """What the template shows, by name."""
    manifest = record.manifest
    threshold = manifest.threshold

    def rows(chosen: Sequence[int]) -> list[shown.Row]:
        return shown.rows(model, val, chosen, numbers, compute, threshold)

    return {
        "name": record.folder.path.resolve().name,
        "manifest": manifest,
        "generated": manifest.trained_on.dataset == GENERATED,
        "settings": record.settings,
        "epochs": len(record.rows),
        "best_epoch": record.best["epoch"],
        "minutes": sum(float(row["seconds"]) for row in record.rows) / 60,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "pictures": len(val),
        "labels": LABELS,
        "scores": dataclasses.asdict(score(numbers.counts)),
        "intervals": intervals(numbers.counts),
        "sweep": numbers.sweep,
        "thresholds": THRESHOLDS,
        "calibration": numbers.calibration,
        "plots": {
            "losses": plots.losses(record.rows),
            "ious": plots.ious(record.rows),
            "sweep": plots.sweep(numbers.sweep, threshold),
            "calibration": plots.calibration(numbers.calibration),
            "fractions": plots.fractions(numbers),
        },
        "worst": rows(shown.worst(numbers)),
        "panels": rows(shown.spread(len(val))),
        "compute": compute,
        "version": runtime.__version__,
    }


def _template() -> jinja2.Template:
    """Everything that is put in is escaped, except what is marked as safe (the plots)."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["setting"] = setting
    return environment.get_template(TEMPLATE)
