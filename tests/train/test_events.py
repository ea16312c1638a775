"""Read back with TensorBoard's own reader, as its pages show them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from runtime.errors import SinkError
from train.events import Events


def _row(epoch: int, iou: float) -> dict[str, object]:
    return {
        "epoch": epoch,
        "stage": 1,
        "rate": "0.0004",
        "train_loss": 0.5,
        "val_loss": 0.4,
        "val_iou": iou,
        "seconds": 1.5,
    }


def _shown(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder)).Reload()


def _points(folder: Path, tag: str) -> list[tuple[int, float]]:
    return [(point.step, round(point.value, 4)) for point in _shown(folder).Scalars(tag)]


def test_every_number_of_an_epoch_is_written(tmp_path: Path) -> None:
    events = Events(tmp_path)
    events.write(_row(1, 0.25))
    events.write(_row(2, 0.5))
    assert sorted(_shown(tmp_path).Tags()["scalars"]) == [
        "loss/train",
        "loss/val",
        "rate",
        "seconds",
        "val/iou",
    ]
    assert _points(tmp_path, "val/iou") == [(1, 0.25), (2, 0.5)]
    assert _points(tmp_path, "rate") == [(1, 0.0004), (2, 0.0004)]


def test_a_resumed_run_shows_no_epoch_twice(tmp_path: Path) -> None:
    events = Events(tmp_path)
    for epoch in (1, 2, 3):
        events.write(_row(epoch, 0.1 * epoch))
    resumed = Events(tmp_path, next_epoch=3)  # its third epoch was not in the checkpoint
    resumed.write(_row(3, 0.8))
    resumed.write(_row(4, 0.9))
    assert _points(tmp_path, "val/iou") == [(1, 0.1), (2, 0.2), (3, 0.8), (4, 0.9)]


def test_an_epoch_can_be_read_as_soon_as_it_is_written(tmp_path: Path) -> None:
    events = Events(tmp_path)
    for epoch in (1, 2):
        events.write(_row(epoch, 0.25))
        assert len(_points(tmp_path, "val/iou")) == epoch


def test_a_disk_that_is_full_is_one_line(tmp_path: Path) -> None:
    events = Events(tmp_path)
    (file,) = tmp_path.iterdir()
    file.unlink()
    file.symlink_to("/dev/full")
    with pytest.raises(SinkError, match=r"cannot write .*No space left"):
        events.write(_row(1, 0.25))


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match=r"cannot write .*file"):
        Events(tmp_path / "file" / "run")
