"""The contest that is timed: a small network with fresh weights, exported here, or your own.

FLOOD_EXPORTS names an export folder to time instead.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from benchmarks.contestants import Contest, open_contest
from export.artefacts import export_graph, prepare_manifest
from export.frames import proof_frames
from export.proof import prove
from runtime.manifest import SCHEMA, Manifest, Provenance, TrainedOn
from train.checkpoint import save_checkpoint
from train.dataset import SYNTHETIC, open_dataset
from train.models import build_model

WIDTH, SIZE = 0.25, (128, 128)


@pytest.fixture(scope="session")
def contest(tmp_path_factory: pytest.TempPathFactory) -> Contest:
    """Speed does not depend on the weights, so untrained ones serve where none are named."""
    if folder := os.environ.get("FLOOD_EXPORTS"):
        return open_contest(Path(folder))
    home = tmp_path_factory.mktemp("contest")
    checkpoint = home / "run" / "best.safetensors"
    torch.manual_seed(0)
    network = build_model("vgg19unet", WIDTH).eval()
    with torch.no_grad():
        network.get_submodule("layer1").bias.fill_(3.0)  # far from the threshold: no flips by noise
    trained = save_checkpoint(network, checkpoint, _manifest())
    manifest = prepare_manifest(trained, SIZE, 1)
    proof = prove(network, manifest, proof_frames(open_dataset(SYNTHETIC), manifest, count=4))
    for precision in ("fp32", "fp16"):
        export_graph(network, manifest, precision, home / "exports", proof)
    return open_contest(home / "exports", checkpoint)


def _manifest() -> Manifest:
    return Manifest(
        schema=SCHEMA,
        model="vgg19unet",
        width=WIDTH,
        input_size=SIZE,
        batch=0,
        resize="linear",
        colour_order="RGB",
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        threshold=0.5,
        class_names=("dry", "water"),
        precision="fp32",
        trained_on=TrainedOn(dataset="nothing", fingerprint="0" * 64, split="none", scores={}),
        provenance=Provenance(checkpoint_sha256="0" * 64, tools={}),
        artefact_sha256="0" * 64,
    )
