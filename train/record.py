"""What a finished or interrupted run says about itself in its folder."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.errors import DataError
from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest
from train.run_folder import RunFolder
from train.settings import CONFIG


@dataclass(frozen=True, kw_only=True)
class Record:
    """settings: config.json as it stands, so that runs of other versions can be read too. rows:
    metrics.csv, one per epoch. manifest: of the best weights."""

    folder: RunFolder
    settings: dict[str, Any]
    rows: list[dict[str, str]]
    manifest: Manifest

    @property
    def best(self) -> dict[str, str]:
        """The row of the epoch whose weights are kept as the best."""
        kept = self.manifest.trained_on.scores.get("iou")
        same = [row for row in self.rows if kept is not None and float(row["val_iou"]) == kept]
        return (same or [max(self.rows, key=lambda row: float(row["val_iou"]))])[0]


def read_record(path: Path) -> Record:
    """Reads a run's folder; the artefacts themselves stay unread.

    Raises DataError for a folder that is no run or has no finished epoch yet, ManifestError.
    """
    folder = RunFolder(path)
    return Record(
        folder=folder,
        settings=_settings(path / CONFIG),
        rows=_rows(folder.metrics),
        manifest=read_manifest(folder.best),
    )


def setting(value: Any) -> str:
    """One value of config.json for people."""
    if value is None:
        return "not given"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        sizes = all(isinstance(item, int) for item in value)
        return (" × " if sizes else ", ").join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _settings(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(
            f"{path.parent} is no run of 'python -m train': it has no {CONFIG}; "
            "give the folder that holds best.safetensors"
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is damaged ({error}); train anew") from error
    if not isinstance(found, dict):
        raise DataError(f"{path} is damaged (no JSON object); train anew")
    return found


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
    except FileNotFoundError:
        rows = []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {path} ({error}); train anew") from error
    if not rows:
        raise DataError(f"{path.parent} has no finished epoch yet: {path.name} is missing or empty")
    try:
        for row in rows:
            for column in ("epoch", "train_loss", "val_loss", "val_iou", "seconds"):
                float(row[column])
    except (KeyError, TypeError, ValueError):
        raise DataError(f"{path} is damaged: no number in column '{column}'; train anew") from None
    return rows
