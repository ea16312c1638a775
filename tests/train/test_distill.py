from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from runtime.console import run
from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest
from tests.train.runs import write_run
from train.distill import app

STUDENT = ("--width", "0.03125", "--size", "32x48", "--epochs", "2", "--change", "scenes=0")


@pytest.fixture
def teacher(tmp_path: Path, photographs: Path, manifest: Manifest) -> Path:
    return write_run(tmp_path / "teacher", manifest, data=str(photographs)).path


def test_a_student_learns_from_its_teachers_data_and_says_whose_it_is(
    teacher: Path, tmp_path: Path
) -> None:
    dry = tmp_path / "dry"
    dry.mkdir()
    Image.fromarray(np.full((40, 50, 3), 90, np.uint8)).save(dry / "road.png")
    out = tmp_path / "student"
    camera = tmp_path / "camera"
    for folder, grey in (("Image", 90), ("Mask", 255)):
        (camera / folder).mkdir(parents=True)
        Image.fromarray(np.full((50, 40), grey, np.uint8)).save(camera / folder / "river.png")
    command = [sys.executable, "-m", "train.distill", "--teacher", str(teacher)]
    folders = ["--also", str(camera), "--dry", str(dry)]
    done = subprocess.run(
        [*command, *folders, "--change", "views=2", "--out", str(out), *STUDENT],
        capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "which the teacher was trained on" in done.stderr
    # Two views of each of the eight photographs, the river and the road.
    assert "20 pictures to learn from; teacher: " in done.stderr
    student = read_manifest(out / "best.safetensors")
    taught = read_manifest(teacher / "best.safetensors")
    assert student.trained_on.teacher == taught.provenance.checkpoint_sha256
    assert (student.model, student.width) == ("vgg19unet-bn", 0.03125)
    with (out / "metrics.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--teacher", "nowhere"), "no such model: nowhere"),
        (("--teacher", "{teacher}", "--dry", "nowhere"), "no such folder: nowhere"),
        (("--teacher", "{teacher}", "--also", "nowhere"), "no such data folder: nowhere"),
        (("--teacher", "{teacher}", "--change", "trust=2"), "wanted trust=0.5"),
        (("--teacher", "{teacher}", "--change", "views=-1"), "wanted views=24"),
    ],
)
def test_what_is_wrong_is_one_line(
    arguments: tuple[str, ...],
    told: str,
    teacher: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    filled = [argument.format(teacher=teacher) for argument in arguments]
    monkeypatch.setattr(sys, "argv", ["distill", *filled, "--out", str(tmp_path / "out"), *STUDENT])
    with pytest.raises(SystemExit) as ended:
        run(app)
    assert ended.value.code == 1
    errors = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert len(errors) == 1
    assert told in errors[0]
    assert not (tmp_path / "out" / "best.safetensors").exists()


def test_a_teacher_without_its_run_needs_the_data_named(
    teacher: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (teacher / "config.json").unlink()
    monkeypatch.setattr(sys, "argv", ["distill", "--teacher", str(teacher), *STUDENT])
    with pytest.raises(SystemExit):
        run(app)
    assert "give --data FOLDER" in capsys.readouterr().err
