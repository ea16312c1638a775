from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from export.frames import find_data, proof_frames
from runtime.errors import DataError
from runtime.manifest import Manifest
from train.dataset import open_dataset
from train.samples import DataSet, Sample


@dataclasses.dataclass
class Numbered:
    """Samples of one colour each, their number."""

    count: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        image = np.zeros((20, 30, 3), np.uint8)
        image[..., 0] = index
        return Sample(image=image, mask=np.ones((20, 30), bool), name=str(index))


def data_set(**counts: int) -> DataSet:
    splits = {name: Numbered(counts.get(name, 0)) for name in ("train", "val", "test")}
    return DataSet(name="numbers", fingerprint="0" * 64, split_rule="by number", splits=splits)


def test_frames_are_spread_over_the_whole_validation_split(manifest: Manifest) -> None:
    frames = proof_frames(data_set(train=500, val=101), manifest, count=5)
    assert frames.names == ("0", "25", "50", "75", "100")
    assert frames.inputs.shape == (5, *manifest.input_size, 3)
    assert frames.truth.shape == (5, *manifest.input_size)
    assert "5 frames of the val split of numbers" in frames.origin
    red = frames.inputs[..., 0]
    assert [set(np.unique(frame)) for frame in red] == [{0}, {25}, {50}, {75}, {100}]
    assert not frames.inputs[..., 1:].any(), "red is the first channel"


def test_a_small_split_gives_every_frame_once_and_an_empty_one_is_passed_over(
    manifest: Manifest,
) -> None:
    assert proof_frames(data_set(val=3), manifest, count=16).names == ("0", "1", "2")
    assert "train split" in proof_frames(data_set(train=2), manifest).origin
    with pytest.raises(DataError, match="numbers has no picture to prove on"):
        proof_frames(data_set(), manifest)


def test_named_data_come_first(photographs: Path, manifest: Manifest, tmp_path: Path) -> None:
    found, reason = find_data(tmp_path / "best.safetensors", manifest, str(photographs))
    assert found.name == photographs.name
    assert "as asked" in reason


def write_run(folder: Path, data: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "data": data, "pairs": None, "model": "vgg19unet", "width": 1.0, "input_size": [32, 32],
        "recipe": "fast", "encoder": "none", "epochs": 1, "batch": 1, "rate": 1e-4,
        "patience": None, "seed": 7,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(settings))


def test_else_the_data_of_the_run_while_they_are_there(
    photographs: Path, manifest: Manifest, tmp_path: Path
) -> None:
    write_run(tmp_path / "run", str(photographs))
    found, reason = find_data(tmp_path / "run" / "best.safetensors", manifest)
    assert found.name == photographs.name
    assert "was trained on" in reason
    write_run(tmp_path / "run", str(tmp_path / "gone"))
    found, reason = find_data(tmp_path / "run" / "best.safetensors", manifest)
    assert found.generated
    assert "gone) is not here" in reason


def test_a_run_on_generated_scenes_proves_on_its_own(manifest: Manifest, tmp_path: Path) -> None:
    write_run(tmp_path / "run", "synthetic")
    found, reason = find_data(tmp_path / "run" / "best.safetensors", manifest)
    assert found.generated
    assert "was trained on" in reason


def test_a_checkpoint_alone_proves_on_generated_scenes_and_says_why(
    manifest: Manifest, tmp_path: Path
) -> None:
    found, reason = find_data(tmp_path / "best.safetensors", manifest)
    assert found.generated
    assert "no config.json says" in reason


def test_pairs_without_data_are_refused(manifest: Manifest, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--pairs came without --data"):
        find_data(tmp_path / "best.safetensors", manifest, None, tmp_path / "pairs.csv")


def test_calibration_never_takes_pictures_that_training_was_judged_by(
    photographs: Path, manifest: Manifest, tmp_path: Path
) -> None:
    """Split as in training, whichever seed that had."""
    for seed in (7, 8):
        trained = open_dataset(str(photographs), seed=seed)
        split = dataclasses.replace(manifest.trained_on, split=trained.split_rule)
        contract = dataclasses.replace(manifest, trained_on=split)
        found, _ = find_data(tmp_path / "model.onnx", contract, str(photographs))
        assert found.splits["train"].pairs == trained.splits["train"].pairs
