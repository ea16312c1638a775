"""What an interrupted run needs to go on: its state, and the data and teacher it began with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runtime.errors import DataError
from train.parallel import is_first
from train.run_folder import RunFolder
from train.samples import DataSet
from train.settings import Settings
from train.state import read_state
from train.teacher import teachers_hash


def origin(settings: Settings, dataset: DataSet) -> dict[str, Any]:
    """What must be as it was when a run goes on."""
    teacher = None if settings.teacher is None else teachers_hash(Path(settings.teacher))
    return {"fingerprint": dataset.fingerprint, "teacher": teacher}


def read_run(settings: Settings, folder: RunFolder, dataset: DataSet) -> dict[str, Any]:
    """The state of an interrupted run, whose folder this process takes.

    Raises DataError when there is none, or its data or teacher have changed since, SinkError when
    another process is at work on it.
    """
    state = read_state(folder.state)
    if is_first():
        folder.take()
    for name, value in origin(settings, dataset).items():
        if state[name] != value:
            what = settings.teacher if name == "teacher" else dataset.name
            raise DataError(
                f"{what} has changed since the run in {folder.path} began; "
                "bring the old files back, or train anew"
            )
    return state
