from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import nn

from export import verify
from export.parity import LIMITS, at_least_a_pixel
from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest, write_manifest
from train.checkpoint import save_checkpoint
from train.models import build_model

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def artefact(home: Path) -> Path:
    return home / "exports" / "tiny" / "model.onnx"


@pytest.fixture
def checkpoint(home: Path) -> Path:
    return home / "runs" / "tiny" / "best.safetensors"


def test_finds_the_checkpoint_and_prints_every_number(
    command: Command, artefact: Path, photographs: Path
) -> None:
    code, out, err = command(verify.app, artefact, "--data", photographs, "--frames", 1)
    assert code == 0, err
    assert "frames: 1" in out
    for name in ("largest logit difference", "mask pixels that flip", "loss of IoU"):
        assert name in out
    assert "stays within the limits for fp32" in err


def test_json_is_for_machines(command: Command, artefact: Path, photographs: Path) -> None:
    code, out, _ = command(verify.app, artefact, "--json", "--data", photographs)
    printed = json.loads(out)
    assert code == 0
    frames = len(printed["frames"]["names"])
    assert printed["limits"] == at_least_a_pixel(LIMITS["fp32"], frames, (32, 48))
    assert 0 <= printed["parity"]["max_abs"] <= LIMITS["fp32"]["max_abs"]


def test_a_graph_that_computes_something_else_is_caught(
    command: Command, artefact: Path, photographs: Path
) -> None:
    manifest = read_manifest(artefact)
    graph = onnx.load(artefact)
    (bias,) = [entry for entry in graph.graph.initializer if entry.name.endswith("layer1.bias")]
    bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias) + np.float32(0.1), bias.name))
    artefact.write_bytes(graph.SerializeToString())
    write_manifest(manifest, artefact)
    code, out, err = command(verify.app, artefact, "--data", photographs)
    assert code == 1
    assert "largest logit difference is 0.1, the limit is 0.001" in err
    assert "1.00e-01" in out, "the numbers are shown all the same"


def test_the_wrong_checkpoint_is_refused(
    command: Command, artefact: Path, photographs: Path, manifest: Manifest, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    other = tmp_path / "other.safetensors"
    save_checkpoint(build_model("vgg19unet", manifest.width), other, manifest)
    code, _, err = command(verify.app, artefact, "--against", other)
    assert code == 1
    assert f"was not exported from {other}" in err


def test_a_checkpoint_that_is_gone_is_asked_for(
    command: Command, artefact: Path, photographs: Path, checkpoint: Path, network: nn.Module
) -> None:
    checkpoint.unlink()
    code, _, err = command(verify.app, artefact)
    assert code == 1
    assert "no checkpoint in runs/ is the one this model was exported from" in err
    assert "name it with --against" in err


def test_a_damaged_neighbour_does_not_hide_the_checkpoint(home: Path, checkpoint: Path) -> None:
    (home / "runs" / "a").mkdir()
    (home / "runs" / "a" / "best.safetensors").write_text("damaged")
    sha256 = read_manifest(checkpoint).artefact_sha256
    assert verify.find_checkpoint(sha256, home / "runs") == checkpoint


def test_a_model_that_is_not_there(command: Command, tmp_path: Path) -> None:
    code, _, err = command(verify.app, tmp_path / "model.onnx")
    assert code == 1
    assert "no such model" in err
