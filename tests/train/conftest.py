"""A small data set of real files, and what a tiny training run needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.manifest import SCHEMA, Manifest
from runtime.manifest_parts import Provenance, TrainedOn
from tests.train.photographs import write_pair


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Ten pairs in the layout of the real data set."""
    folder = tmp_path / "photographs"
    for number in range(10):
        write_pair(folder, str(number), 0.2 + 0.06 * number)
    return folder


@pytest.fixture
def manifest() -> Manifest:
    """The contract of a tiny network."""
    return Manifest(
        schema=SCHEMA,
        model="vgg19unet",
        width=0.03125,
        input_size=(32, 48),
        batch=0,
        resize="area",
        colour_order="RGB",
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        threshold=0.5,
        class_names=("land", "water"),
        precision="fp32",
        trained_on=TrainedOn(dataset="tiny", fingerprint="f" * 64, split="by hand", scores={}),
        provenance=Provenance(checkpoint_sha256="0" * 64, tools={}),
        artefact_sha256="0" * 64,
    )
