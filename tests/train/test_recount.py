from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from runtime.console import run
from runtime.errors import ModelError
from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest
from tests.train.runs import write_run
from train.checkpoint import load_checkpoint, save_checkpoint
from train.models import build_model
from train.normalise import normalise
from train.recipe import IMAGENET_MEAN, IMAGENET_STD
from train.recount import app, recount, thinned


def test_statistics_are_those_of_the_pictures() -> None:
    images = np.random.default_rng(0).integers(0, 256, (32, 8, 8, 3), np.uint8)
    model = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout2d(0.5), nn.BatchNorm2d(3))
    model[0].running_mean.fill_(7.0)
    recount(model, images)
    inputs = normalise(torch.from_numpy(images), IMAGENET_MEAN, IMAGENET_STD)
    torch.testing.assert_close(model[0].running_mean, inputs.mean((0, 2, 3)))
    assert not model.training
    # What the second sees is centred by the first, and nothing of it was dropped.
    torch.testing.assert_close(model[2].running_mean, torch.zeros(3), atol=1e-5, rtol=0.0)
    torch.testing.assert_close(model[2].running_var, torch.ones(3), atol=0.02, rtol=0.0)


def test_the_same_pictures_give_the_same_bits() -> None:
    images = np.random.default_rng(1).integers(0, 256, (40, 32, 32, 3), np.uint8)
    found = []
    for _ in range(2):
        torch.manual_seed(3)
        model = build_model("vgg19unet-bn", 0.03125)
        recount(model, images)
        found.append(model.state_dict())
    assert all(torch.equal(tensor, found[1][name]) for name, tensor in found[0].items())


def test_a_network_without_batch_norm_has_nothing_to_count() -> None:
    with pytest.raises(ModelError, match="no batch normalisation"):
        recount(nn.Sequential(nn.Conv2d(3, 1, 1)), np.zeros((1, 4, 4, 3), np.uint8))


def test_as_many_pictures_of_each_kind() -> None:
    pictures = np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1)
    assert thinned(pictures, 4).ravel().tolist() == [0, 3, 6, 9]
    assert thinned(pictures, 20).ravel().tolist() == list(range(10))


def test_a_checkpoint_with_other_statistics_and_its_own_scores(
    photographs: Path,
    manifest: Manifest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_folder = write_run(tmp_path / "run", manifest, data=str(photographs)).path
    normalised = dataclasses.replace(manifest, model="vgg19unet-bn")
    network = build_model(normalised.model, normalised.width)
    save_checkpoint(network, run_folder / "best.safetensors", normalised)
    out = tmp_path / "counted.safetensors"
    beside = ["--also", photographs, "--dry", photographs / "Image", "--threshold", "0.75"]
    monkeypatch.setattr(sys, "argv", ["recount", *map(str, [run_folder, "--out", out, *beside])])
    with pytest.raises(SystemExit) as left:
        run(app)
    assert not left.value.code
    told = capsys.readouterr()
    before, _ = load_checkpoint(run_folder / "best.safetensors")
    after, contract = load_checkpoint(out)
    weights = after.state_dict()
    for name, tensor in before.state_dict().items():
        if "num_batches" not in name:
            assert torch.equal(tensor, weights[name]) != ("running" in name), name
    assert contract.threshold == 0.75
    assert f"val IoU {contract.trained_on.scores['iou']:.4f}" in told.err
    assert told.out.strip() == str(out)
    assert read_manifest(out).trained_on.fingerprint == contract.trained_on.fingerprint


def test_what_is_written_has_to_be_a_checkpoint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["recount", "nowhere", "--out", "model.onnx"])
    with pytest.raises(SystemExit) as left:
        run(app)
    assert left.value.code == 1
    assert "wanted, for example model.safetensors" in capsys.readouterr().err
