"""What weights are scored on was never trained on, whatever seed or table split their data."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from runtime.manifest import Manifest
from tests.train.runs import write_run
from train.dataset import open_dataset
from train.samples import DataSet
from train.trained_data import (
    open_trained,
    split_seed,
    tell_difference,
    tell_earlier_split,
)


def _trained_on(manifest: Manifest, dataset: DataSet) -> Manifest:
    trained_on = dataclasses.replace(
        manifest.trained_on,
        dataset=dataset.name,
        fingerprint=dataset.fingerprint,
        split=dataset.split_rule,
    )
    return dataclasses.replace(manifest, trained_on=trained_on)


def _names(dataset: DataSet, split: str) -> set[str]:
    samples = dataset.splits[split]
    return {samples[index].name for index in range(len(samples))}


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_an_export_far_from_its_run_is_scored_on_the_pictures_of_its_own_val(
    photographs: Path, manifest: Manifest, tmp_path: Path, seed: int
) -> None:
    trained = open_dataset(str(photographs), seed=seed)
    contract = _trained_on(manifest, trained)
    assert split_seed(contract) == seed
    found = open_trained(tmp_path / "model.onnx", contract, str(photographs), None)
    assert _names(found, "val") == _names(trained, "val")
    assert not _names(found, "val") & _names(trained, "train")


def test_the_folder_of_the_run_is_split_by_the_runs_table(
    photographs: Path, manifest: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"{n}.jpg,{n}.png,{'val' if n < 3 else 'train'}\n" for n in range(10))
    table = photographs / "pairs.csv"
    table.write_text("Image,Mask,split\n" + rows)
    trained = open_dataset(str(photographs), table)
    contract = _trained_on(manifest, trained)
    best = write_run(tmp_path / "run", contract, data=str(photographs), pairs=table).best
    found = open_trained(best, contract, str(photographs.parent / "." / "photographs"), None)
    assert _names(found, "val") == {"0", "1", "2"}
    tell_difference(best, contract, found)
    assert capsys.readouterr().err == ""

    elsewhere = open_trained(tmp_path / "model.onnx", contract, str(photographs), None)
    tell_difference(tmp_path / "model.onnx", contract, elsewhere)
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "trained on another split (given with the pairs: train 7, val 3, test 0)" in told


def test_generated_scenes_are_those_of_the_training(manifest: Manifest, tmp_path: Path) -> None:
    trained = open_dataset("synthetic", seed=3)
    contract = _trained_on(manifest, trained)
    found = open_trained(tmp_path / "model.onnx", contract, None, None)
    assert found.fingerprint == trained.fingerprint


def test_another_seed_and_other_pictures_are_told(
    photographs: Path, manifest: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = open_dataset(str(photographs), seed=7)
    contract, artefact = _trained_on(manifest, trained), tmp_path / "model.onnx"
    tell_difference(artefact, contract, open_trained(artefact, contract, str(photographs), None))
    assert capsys.readouterr().err == ""
    other = open_trained(artefact, contract, str(photographs), None, seed=8)
    tell_difference(artefact, contract, other)
    assert "it may have learned from pictures of val and test" in capsys.readouterr().err
    (photographs / "Image" / "3.jpg").unlink()
    fewer = open_trained(artefact, contract, str(photographs), None)
    tell_difference(artefact, contract, fewer)
    assert "was trained on other data (photographs) than photographs holds now" in (
        capsys.readouterr().err
    )


def test_a_run_that_begins_with_weights_of_another_split_is_told(
    photographs: Path, manifest: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = open_dataset(str(photographs), seed=7)
    best = write_run(tmp_path / "run", _trained_on(manifest, trained)).best
    tell_earlier_split(best, trained)
    tell_earlier_split(Path("imagenet"), trained)
    assert capsys.readouterr().err == ""
    tell_earlier_split(best, open_dataset(str(photographs), seed=8))
    assert "best.safetensors was trained on another split" in capsys.readouterr().err
    (photographs / "Image" / "3.jpg").unlink()
    tell_earlier_split(best, open_dataset(str(photographs), seed=8))
    assert "another split" not in capsys.readouterr().err
