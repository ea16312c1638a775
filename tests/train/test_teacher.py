from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest
from tests.train.runs import write_run
from train.checkpoint import load_checkpoint
from train.compute import Compute
from train.normalise import normalise
from train.teacher import find_teacher, open_teacher, teachers_hash

FLOAT = Compute(device=torch.device("cpu"), half=None)


def test_a_run_teaches_with_its_best_checkpoint(tmp_path: Path, manifest: Manifest) -> None:
    run = write_run(tmp_path / "run", manifest)
    path = find_teacher(run.path)
    assert path == run.best
    assert find_teacher(path) == path
    assert teachers_hash(path) == read_manifest(path).artefact_sha256
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 48, 3), np.uint8)
    network, stored = load_checkpoint(path)
    with torch.inference_mode():
        logits = network(normalise(torch.from_numpy(images), stored.mean, stored.std))
    with open_teacher(path, FLOAT) as teacher:
        given = teacher.probabilities(images)
    assert given.shape == (3, 32, 48)
    assert given.dtype == np.float32
    assert given == pytest.approx(torch.sigmoid(logits[:, 0]).numpy(), abs=1e-5)
