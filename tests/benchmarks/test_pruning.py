"""A narrow network cut out of a wide one."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest
import torch

from benchmarks.pruning import app, pruned
from runtime.console import run
from runtime.manifest_file import read_manifest
from runtime.shipped import shipped_model
from train.checkpoint import load_checkpoint, save_checkpoint
from train.models import build_model

SIDES = (1, 3, 32, 32)


@pytest.mark.parametrize("name", ["vgg19unet", "vgg19unet-bn"])
def test_what_is_left_is_the_same_network_of_a_smaller_width(name: str) -> None:
    wide = build_model(name, 0.25)
    kept = pruned(wide, torch.zeros(SIDES), 0.5)
    narrow = build_model(name, 0.125)
    narrow.load_state_dict(kept.state_dict())
    assert kept.eval()(torch.ones(SIDES)).equal(narrow.eval()(torch.ones(SIDES)))


def test_channels_with_the_smallest_weights_go() -> None:
    wide = build_model("vgg19unet", 0.25)
    first = wide.get_submodule("features")[0]
    with torch.no_grad():
        first.weight[::2] *= 1e-3
    strong = first.weight[1::2].clone()
    assert pruned(wide, torch.zeros(SIDES), 0.5).get_submodule("features")[0].weight.equal(strong)


def test_the_command_writes_a_checkpoint_that_can_be_loaded_and_refuses_to_widen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped = read_manifest(shipped_model())
    wide, narrow = tmp_path / "wide.safetensors", tmp_path / "narrow.safetensors"
    contract = dataclasses.replace(shipped, precision="fp32", quantisation=None)
    save_checkpoint(build_model(contract.model, 0.25), wide, contract)

    def call(width: str) -> int:
        arguments = ["pruning", str(wide), "--width", width, "--out", str(narrow)]
        monkeypatch.setattr(sys, "argv", arguments)
        with pytest.raises(SystemExit) as done:
            run(app)
        return int(done.value.code or 0)

    assert call("0.125") == 0
    _, manifest = load_checkpoint(narrow)
    assert (manifest.width, manifest.trained_on.scores) == (0.125, {})
    assert call("0.5") == 1
    assert "width 0.5 came for a network of width 0.25" in capsys.readouterr().err
