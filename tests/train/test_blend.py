from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from runtime.console import run
from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest
from tests.train.runs import write_run
from train.blend import app, blend
from train.cache import Pictures, decode_split
from train.checkpoint import load_checkpoint, save_checkpoint
from train.dataset import open_dataset
from train.samples import DataSet

Call = Callable[..., tuple[int, str]]


@pytest.fixture
def runs(tmp_path: Path, photographs: Path, manifest: Manifest) -> tuple[Path, Path]:
    """Two runs of one network with different weights."""
    first, second = (
        write_run(tmp_path / name, manifest, data=str(photographs)).path for name in ("one", "two")
    )
    network, contract = load_checkpoint(second / "best.safetensors")
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(1.0)
    save_checkpoint(network, second / "best.safetensors", contract)
    return first, second


@pytest.fixture
def call(
    photographs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Blends on the photographs and gives the exit code and what stderr says."""

    def blend_them(first: Path, second: Path, out: Path, *more: object) -> tuple[int, str]:
        arguments = [first, second, "--data", photographs, "--out", out, *more]
        monkeypatch.setattr(sys, "argv", ["blend", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            run(app)
        return int(stopped.value.code or 0), capsys.readouterr().err

    return blend_them


def test_a_blend_lies_between_and_counts_as_the_second() -> None:
    first = {"weight": torch.tensor([0.0, 2.0]), "batches": torch.tensor(3)}
    second = {"weight": torch.tensor([4.0, 4.0]), "batches": torch.tensor(7)}
    made = blend(first, second, 0.25)
    assert made["weight"].tolist() == [1.0, 2.5]
    assert made["batches"].item() == 7


def test_a_blend_is_a_checkpoint_with_its_own_scores(
    runs: tuple[Path, Path], call: Call, tmp_path: Path
) -> None:
    out = tmp_path / "blend.safetensors"
    code, told = call(*runs, out)
    assert code == 0
    one, two, made = (load_file(path) for path in (*(r / "best.safetensors" for r in runs), out))
    name = next(name for name in made if name.endswith("weight"))
    torch.testing.assert_close(made[name], (one[name] + two[name]) / 2)
    kept = read_manifest(out)
    assert (
        kept.provenance.checkpoint_sha256
        != read_manifest(runs[1] / "best.safetensors").provenance.checkpoint_sha256
    )
    assert f"val IoU {kept.trained_on.scores['iou']:.4f}" in told


def test_a_blend_decides_as_the_second_or_as_it_is_told(
    runs: tuple[Path, Path], call: Call, tmp_path: Path
) -> None:
    first, second = (run / "best.safetensors" for run in runs)
    network, contract = load_checkpoint(first)
    save_checkpoint(network, first, dataclasses.replace(contract, threshold=0.7))
    out = tmp_path / "blend.safetensors"
    assert call(*runs, out)[0] == 0
    assert read_manifest(out).threshold == read_manifest(second).threshold == 0.5
    assert call(*runs, out, "--threshold", 0.6)[0] == 0
    assert read_manifest(out).threshold == 0.6
    assert load_file(out)["layer1.weight"].dtype == torch.float32
    assert call(*runs, out, "--threshold", 0.6, "--half")[0] == 0
    assert load_file(out)["layer1.weight"].dtype == torch.float16
    code, told = call(*runs, out, "--threshold", 1)
    assert code == 2
    assert "1 came; wanted a probability between 0 and 1" in told
    assert read_manifest(out).threshold == 0.6


def test_networks_that_differ_are_refused(
    runs: tuple[Path, Path], call: Call, tmp_path: Path
) -> None:
    network, contract = load_checkpoint(runs[1] / "best.safetensors")
    other, out = tmp_path / "other.safetensors", tmp_path / "blend.safetensors"
    save_checkpoint(network, other, dataclasses.replace(contract, mean=(0.5, 0.5, 0.5)))
    code, told = call(runs[0], other, out)
    assert code == 1
    assert "and (0.5, 0.5, 0.5) in the second" in told
    assert not out.exists()


def test_a_checkpoint_is_wanted(runs: tuple[Path, Path], call: Call, tmp_path: Path) -> None:
    code, told = call(*runs, tmp_path / "blend.onnx")
    assert code == 1
    assert "wanted, for example blend.safetensors" in told


def test_a_blend_is_scored_on_the_val_pictures_of_its_runs(
    runs: tuple[Path, Path],
    photographs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Split by the seed of the training, with --data and without."""
    dataset = open_dataset(str(photographs), seed=9)
    for each in runs:
        network, contract = load_checkpoint(each / "best.safetensors")
        trained_on = dataclasses.replace(
            contract.trained_on, fingerprint=dataset.fingerprint, split=dataset.split_rule
        )
        contract = dataclasses.replace(contract, trained_on=trained_on)
        save_checkpoint(network, each / "best.safetensors", contract)
    seen: list[DataSet] = []

    def decode(dataset: DataSet, *rest: object) -> Pictures:
        seen.append(dataset)
        return decode_split(dataset, *rest)

    monkeypatch.setattr("train.derived.decode_split", decode)
    for number, data in enumerate((("--data", str(photographs)), ())):
        out = tmp_path / f"{number}.safetensors"
        monkeypatch.setattr(sys, "argv", ["blend", *map(str, runs), *data, "--out", str(out)])
        with pytest.raises(SystemExit) as stopped:
            run(app)
        assert not stopped.value.code
        assert "note: " not in capsys.readouterr().err
        assert seen.pop().split_rule == dataset.split_rule
