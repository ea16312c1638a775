"""What must be as it was when a run goes on."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from runtime.errors import DataError
from runtime.manifest import Manifest
from tests.train.runs import write_run
from train.dataset import open_dataset
from train.resume import origin, read_run
from train.run_folder import RunFolder
from train.settings import read_settings
from train.state import write_state


def test_a_run_does_not_go_on_with_another_teacher(
    tmp_path: Path, photographs: Path, manifest: Manifest
) -> None:
    teacher = write_run(tmp_path / "teacher", manifest, data=str(photographs)).path
    settings = dataclasses.replace(
        read_settings(teacher), recipe="distill", teacher=str(teacher / "best.safetensors")
    )
    dataset, folder = open_dataset(str(photographs)), RunFolder(teacher)
    write_state(folder.state, origin(settings, dataset))
    assert read_run(settings, folder, dataset)["fingerprint"] == dataset.fingerprint
    write_state(folder.state, {**origin(settings, dataset), "teacher": "0" * 64})
    with pytest.raises(DataError, match=r"best\.safetensors has changed since the run"):
        read_run(settings, folder, dataset)
