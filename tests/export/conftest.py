"""One tiny network, trained for a second or two, for everything that is exported here."""

from __future__ import annotations

import dataclasses
import errno
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
import typer
from torch import nn

from export.artefacts import DTYPES, export_graph, prepare_manifest
from export.frames import proof_frames
from export.graph import ExportedNetwork, trace
from export.proof import Proof, prove
from runtime.console import run
from runtime.manifest import SCHEMA, Manifest
from runtime.manifest_parts import Provenance, TrainedOn
from train.checkpoint import save_checkpoint
from train.dataset import open_dataset
from train.models import build_model
from train.normalise import normalise
from train.scenes import generate_scene

SIZE = (32, 48)
WIDTH = 0.125
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture(scope="session")
def network() -> nn.Module:
    """A VGG19UNet that has learnt enough for its logits to take sides."""
    network = build_model("vgg19unet", WIDTH).eval()
    torch.manual_seed(0)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    scenes = [generate_scene(seed, (96, 128)) for seed in (0, 1, 2, 5)]
    images = np.stack([cv2.resize(scene.image, SIZE[::-1]) for scene in scenes])
    masks = np.stack([cv2.resize(scene.mask.astype(np.float32), SIZE[::-1]) for scene in scenes])
    pictures = normalise(torch.from_numpy(images), MEAN, STD)
    truth = torch.from_numpy(masks)[:, None]
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(40):
        optimiser.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(network(pictures), truth).backward()
        optimiser.step()
    return network


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set folder of four small pictures with their masks."""
    folder = tmp_path_factory.mktemp("photographs")
    for kind in ("Image", "Mask"):
        (folder / kind).mkdir()
    for seed in range(24, 28):
        scene = generate_scene(seed, (60, 90))
        cv2.imwrite(str(folder / "Image" / f"{seed}.png"), scene.image[..., ::-1])
        cv2.imwrite(str(folder / "Mask" / f"{seed}.png"), scene.mask * np.uint8(255))
    return folder


@pytest.fixture
def manifest() -> Manifest:
    return make_manifest()


def make_manifest() -> Manifest:
    """What training would write beside that network's checkpoint."""
    return Manifest(
        schema=SCHEMA,
        model="vgg19unet",
        width=WIDTH,
        input_size=SIZE,
        batch=0,
        resize="linear",
        colour_order="RGB",
        mean=MEAN,
        std=STD,
        threshold=0.5,
        class_names=("dry", "water"),
        precision="fp32",
        trained_on=TrainedOn(
            dataset="generated scenes", fingerprint="0" * 64, split="by seed", scores={"iou": 0.5}
        ),
        provenance=Provenance(checkpoint_sha256="0" * 64, tools={"torch": torch.__version__}),
        artefact_sha256="0" * 64,
    )


@pytest.fixture
def checkpoint(tmp_path: Path, network: nn.Module, manifest: Manifest) -> Path:
    """A run folder's best checkpoint with its manifest."""
    path = tmp_path / "runs" / "tiny" / "best.safetensors"
    save_checkpoint(network, path, manifest)
    return path


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command line as `python -m` does, and returns its exit code, stdout and stderr."""

    def call(app: typer.Typer, *arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["command", *map(str, arguments)])
        with pytest.raises(SystemExit) as ending:
            run(app)
        written = capsys.readouterr()
        return int(ending.value.code or 0), written.out, written.err

    return call


@pytest.fixture(scope="session")
def traced(network: nn.Module) -> Callable[[str, int], onnx.ModelProto]:
    """A function that gives the graph of a precision and a batch, each traced once."""
    graphs: dict[tuple[str, int], onnx.ModelProto] = {}

    def graph(precision: str, batch: int = 1) -> onnx.ModelProto:
        if (precision, batch) not in graphs:
            manifest = dataclasses.replace(make_manifest(), batch=batch)
            exported = ExportedNetwork(network, manifest, DTYPES[precision])
            graphs[precision, batch] = trace(exported, manifest)
        return graphs[precision, batch]

    return graph


@pytest.fixture(scope="session")
def exported(
    network: nn.Module, photographs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with runs/tiny and its exports/tiny (FP32 and FP16); copy it before changing it."""
    home = tmp_path_factory.mktemp("home")
    trained = save_checkpoint(network, home / "runs/tiny/best.safetensors", make_manifest())
    manifest = prepare_manifest(trained, trained.input_size, 1)
    proof = prove(network, manifest, proof_frames(open_dataset(str(photographs)), manifest))
    for precision in ("fp32", "fp16"):
        export_graph(network, manifest, precision, home / "exports/tiny", proof)
    return home


@pytest.fixture(scope="session")
def proof(network: nn.Module, photographs: Path) -> Proof:
    """All pictures of the data set, and what the network makes of them."""
    frames = proof_frames(
        open_dataset(str(photographs)), make_manifest(), splits=("train", "val", "test")
    )
    return prove(network, make_manifest(), frames)


@pytest.fixture
def home(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A private copy of that folder, and the current directory of the test."""
    shutil.copytree(exported, tmp_path / "home")
    monkeypatch.chdir(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def no_room_for_manifests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full once the artefact itself is written."""

    def fail(_: Manifest) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("runtime.manifest_file.to_json", fail)


@pytest.fixture
def fixed(manifest: Manifest) -> Manifest:
    """Of a graph in INT8 with a fixed batch of 1."""
    return dataclasses.replace(manifest, batch=1, precision="int8")
