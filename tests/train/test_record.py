from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from runtime.errors import DataError, ManifestError
from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest, write_manifest
from tests.train.runs import write_run
from train.record import read_record, setting


def test_the_best_epoch_is_the_one_whose_weights_are_kept(
    manifest: Manifest, tmp_path: Path
) -> None:
    """A recipe that chooses by loss keeps other weights than those of the highest IoU."""
    folder = write_run(tmp_path / "run", manifest, ious=(0.4, 0.7, 0.6))
    assert read_record(folder.path).best["epoch"] == "2"
    kept = read_manifest(folder.best)
    trained_on = dataclasses.replace(kept.trained_on, scores={"iou": 0.6})
    write_manifest(dataclasses.replace(kept, trained_on=trained_on), folder.best)
    assert read_record(folder.path).best["epoch"] == "3"


def test_settings_of_another_version_can_be_read(manifest: Manifest, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", manifest)
    (folder.path / "config.json").write_text('{"data": "x", "of_tomorrow": [1, 2]}')
    assert read_record(folder.path).settings["of_tomorrow"] == [1, 2]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "not given"),
        ([224, 320], "224 × 320"),
        (["ema=0.99", "mixup=1"], "ema=0.99, mixup=1"),
        ([], "none"),
        (True, "yes"),
        (0.0004, "0.0004"),
        ("auto", "auto"),
    ],
)
def test_settings_are_shown_for_people(value: object, text: str) -> None:
    assert setting(value) == text


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("config.json", None, "is no run of 'python -m train': it has no config.json"),
        ("config.json", "{", "config.json is damaged"),
        ("config.json", "[]", "config.json is damaged"),
        ("metrics.csv", None, "has no finished epoch yet"),
        ("metrics.csv", "epoch,train_loss\n", "has no finished epoch yet"),
        ("metrics.csv", "epoch,train_loss\n1,often\n", "no number in column 'train_loss'"),
        ("metrics.csv", "epoch,train_loss\n1,0.5\n", "no number in column 'val_loss'"),
    ],
)
def test_what_is_wrong_with_a_folder_is_one_line(
    file: str, content: str | None, message: str, manifest: Manifest, tmp_path: Path
) -> None:
    folder = write_run(tmp_path / "run", manifest)
    (folder.path / file).unlink()
    if content is not None:
        (folder.path / file).write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        read_record(folder.path)
    assert "\n" not in str(caught.value)


def test_a_file_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "best.safetensors").write_text("")
    with pytest.raises(DataError, match="is no run"):
        read_record(tmp_path / "best.safetensors")


def test_a_run_without_weights_is_said(manifest: Manifest, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", manifest)
    folder.best.with_name("best.safetensors.json").unlink()
    with pytest.raises(ManifestError, match="has no manifest"):
        read_record(folder.path)
