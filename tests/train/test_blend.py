from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from runtime.console import run
from runtime.manifest import Manifest, read_manifest
from tests.train.runs import write_run
from train.blend import app, blend
from train.checkpoint import load_checkpoint, save_checkpoint


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


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["blend", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        run(app)
    return int(stopped.value.code or 0)


def test_a_blend_lies_between_and_counts_as_the_second() -> None:
    first = {"weight": torch.tensor([0.0, 2.0]), "batches": torch.tensor(3)}
    second = {"weight": torch.tensor([4.0, 4.0]), "batches": torch.tensor(7)}
    made = blend(first, second, 0.25)
    assert made["weight"].tolist() == [1.0, 2.5]
    assert made["batches"].item() == 7


def test_a_blend_is_a_checkpoint_with_its_own_scores(
    runs: tuple[Path, Path], photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "blend.safetensors"
    assert call(monkeypatch, *runs, "--data", photographs, "--out", out) == 0
    one, two, made = (load_file(path) for path in (*(r / "best.safetensors" for r in runs), out))
    name = next(name for name in made if name.endswith("weight"))
    torch.testing.assert_close(made[name], (one[name] + two[name]) / 2)
    kept = read_manifest(out)
    assert (
        kept.provenance.checkpoint_sha256
        != read_manifest(runs[1] / "best.safetensors").provenance.checkpoint_sha256
    )
    assert 0 <= kept.trained_on.scores["iou"] <= 1


def test_networks_that_differ_are_refused(
    runs: tuple[Path, Path],
    photographs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    network, contract = load_checkpoint(runs[1] / "best.safetensors")
    other = tmp_path / "other.safetensors"
    save_checkpoint(network, other, dataclasses.replace(contract, threshold=0.25))
    out = tmp_path / "blend.safetensors"
    assert call(monkeypatch, runs[0], other, "--data", photographs, "--out", out) == 1
    told = capsys.readouterr().err
    assert "threshold is 0.5 in the first and 0.25 in the second" in told
    assert not out.exists()


def test_a_checkpoint_is_wanted(
    runs: tuple[Path, Path],
    photographs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(monkeypatch, *runs, "--data", photographs, "--out", tmp_path / "blend.onnx") == 1
    assert "wanted, for example blend.safetensors" in capsys.readouterr().err
