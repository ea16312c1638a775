from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from runtime.console import run
from runtime.manifest_file import read_manifest
from train.__main__ import app
from train.run_folder import next_run_folder

TINY = ("--width", "0.03125", "--size", "32x48", "--epochs", "2", "--encoder", "none")


def _python(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)


def test_a_run_leaves_all_its_files_and_can_be_evaluated(photographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = _python("train", "--data", photographs, "--out", out, *TINY)
    assert done.returncode == 0, done.stderr
    assert "epoch 2/2" in done.stderr
    assert "these are few pictures: each epoch shows them 25 times, never alike" in done.stderr
    assert done.stdout.startswith(str(out / "best.safetensors"))
    with (out / "metrics.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    manifest = read_manifest(out / "best.safetensors")
    assert manifest.input_size == (32, 48)
    assert manifest.trained_on.dataset == "photographs"
    best = max(float(row["val_iou"]) for row in rows)
    assert manifest.trained_on.scores["iou"] == pytest.approx(best)
    assert json.loads((out / "config.json").read_text())["data"] == str(photographs)
    read_manifest(out / "last.safetensors")
    for name in ("curves.png", "panels.png"):
        with Image.open(out / name) as picture:
            assert picture.width > 500
    with Image.open(out / "progress.gif") as animation:
        assert animation.n_frames >= 1
    assert f"{best:.4f}" in (out / "report.html").read_text(encoding="utf-8")
    (events,) = out.glob("events.out.tfevents.*")
    points = EventAccumulator(str(events)).Reload().Scalars("val/iou")
    assert [point.step for point in points] == [1, 2]

    scored = _python("train.evaluate", out / "best.safetensors", "--split", "val", "--json")
    assert scored.returncode == 0, scored.stderr
    report = json.loads(scored.stdout)
    assert report["pictures"] == 1
    assert set(report["scores"]) == set(manifest.trained_on.scores)
    assert report["scores"]["iou"] == pytest.approx(best, abs=0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--data", "no/such/folder"), "no such data folder: no/such/folder"),
        (("--size", "100"), "nearest: 96 or 112"),
        (("--recipe", "best"), "unknown recipe 'best'"),
        (("--pairs", "p.csv"), "--pairs came without --data"),
        (("--data", "{photographs}", "--out", "{photographs}/Image/0.jpg"), "cannot write"),
        (("--data", "{photographs}", "--encoder", "no.pth"), "no such checkpoint: no.pth"),
        (("--data", "{photographs}", "--dry", "nowhere"), "no such folder: nowhere"),
        (("--data", "{photographs}", "--also", "nowhere"), "no such data folder: nowhere"),
    ],
)
def test_a_mistake_is_one_line_and_exit_1(
    photographs: Path,
    arguments: tuple[str, ...],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    filled = [argument.format(photographs=photographs) for argument in arguments]
    monkeypatch.setattr(sys, "argv", ["train", *filled])
    with pytest.raises(SystemExit) as left:
        run(app)
    assert left.value.code == 1
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert message in errors[0]


def test_run_folders_are_numbered(tmp_path: Path) -> None:
    assert next_run_folder(tmp_path) == tmp_path / "1"
    for name in ("3", "real", "7x"):
        (tmp_path / name).mkdir()
    assert next_run_folder(tmp_path) == tmp_path / "4"
