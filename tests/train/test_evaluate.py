from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import pytest
import torch

from runtime.console import run
from runtime.manifest import Manifest
from train.checkpoint import save_checkpoint
from train.dataset import open_dataset
from train.evaluate import app
from train.metrics import LABELS
from train.model import VGG19UNet


@pytest.fixture
def checkpoint(manifest: Manifest, tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "tiny.safetensors"
    save_checkpoint(VGG19UNet(width=manifest.width), path, manifest)
    return path


@pytest.fixture
def no_test_split(photographs: Path) -> Path:
    """A table of pairs that leaves test empty, as the real data set's does."""
    rows = "".join(f"{n}.jpg,{n}.png,{'val' if n > 6 else 'train'}\n" for n in range(10))
    table = photographs / "pairs.csv"
    table.write_text("Image,Mask,split\n" + rows)
    return table


def _evaluate(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["train.evaluate", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        run(app)
    return int(str(left.value.code or 0))


def test_the_test_split_is_taken_where_it_has_pictures(
    checkpoint: Path,
    photographs: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert _evaluate(monkeypatch, checkpoint, "--data", photographs, "--json") == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["split"] == "test"
    assert "too good" not in shown.err


def test_without_test_pictures_val_is_taken_and_said(
    checkpoint: Path,
    photographs: Path,
    no_test_split: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = ("--data", photographs, "--pairs", no_test_split)
    assert _evaluate(monkeypatch, checkpoint, *data, "--json") == 0
    shown = capsys.readouterr()
    report = json.loads(shown.out)
    assert (report["split"], report["pictures"]) == ("val", 3)
    assert "no test pictures here, so these are scores on val" in shown.err
    assert list(report["scores"]) == list(report["intervals"]) == list(LABELS)
    for name, value in report["scores"].items():
        low, high = report["intervals"][name]
        assert low <= value <= high

    assert _evaluate(monkeypatch, checkpoint, *data) == 0
    table = capsys.readouterr().out
    assert "val (3 pictures)" in table
    assert "95% interval" in table
    low, high = report["intervals"]["recall"]
    assert f"{low:.4f} to {high:.4f}" in table


def test_all_splits_together_are_every_picture(
    checkpoint: Path,
    photographs: Path,
    no_test_split: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = ("--data", photographs, "--pairs", no_test_split)
    counted = {}
    for split in ("all", "train", "val"):
        assert _evaluate(monkeypatch, checkpoint, *data, "--split", split, "--json") == 0
        report = json.loads(capsys.readouterr().out)
        counted[split] = report["pictures"], report["scores"]["mean_iou"] * report["pictures"]
    assert counted["all"][0] == counted["train"][0] + counted["val"][0] == 10
    assert counted["all"][1] == pytest.approx(counted["train"][1] + counted["val"][1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--split", "dev"), "unknown split 'dev'; choose from: train, val, test, all"),
        (("--split", "test"), "the split 'test' of photographs has no pictures here"),
    ],
)
def test_a_split_that_is_not_there_is_one_line(
    checkpoint: Path,
    photographs: Path,
    no_test_split: Path,
    arguments: tuple[str, ...],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = ("--data", photographs, "--pairs", no_test_split)
    assert _evaluate(monkeypatch, checkpoint, *data, *arguments) == 1
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert message in errors[0]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_scores_are_of_pictures_that_the_run_did_not_train_on(
    manifest: Manifest,
    photographs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    seed: int,
) -> None:
    """--data names the folder, not the split: that stays the one of the training."""
    trained = open_dataset(str(photographs), seed=seed)
    trained_on = dataclasses.replace(
        manifest.trained_on, fingerprint=trained.fingerprint, split=trained.split_rule
    )
    path = tmp_path / "moved.safetensors"
    contract = dataclasses.replace(manifest, trained_on=trained_on)
    save_checkpoint(VGG19UNet(width=manifest.width), path, contract)
    assert _evaluate(monkeypatch, path, "--data", photographs, "--split", "val", "--json") == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["split_rule"] == trained.split_rule
    assert "note: " not in shown.err
