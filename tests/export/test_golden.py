from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from export.golden import SEEDS, golden_frames
from runtime.errors import ParityError
from runtime.golden import LARGEST_FILE, check_golden, read_golden, write_golden
from runtime.manifest_file import read_manifest
from runtime.model import load_model


@pytest.mark.parametrize("name", ["model.onnx", "model.fp16.onnx"])
def test_an_artefact_reproduces_its_golden_frames(home: Path, name: str) -> None:
    artefact = home / "exports" / "tiny" / name
    path = write_golden(golden_frames(artefact, read_manifest(artefact)), artefact)
    assert path.stat().st_size < LARGEST_FILE
    with load_model(artefact, "onnxruntime") as model:
        golden = read_golden(artefact, model.manifest)
        assert golden is not None
        assert len(golden.frames) == len(SEEDS) == 8
        assert golden.masks.any()
        check_golden(golden, model.manifest, model.infer)


def test_logits_that_moved_are_noticed(home: Path) -> None:
    artefact = home / "exports" / "tiny" / "model.onnx"
    write_golden(golden_frames(artefact, read_manifest(artefact)), artefact)
    with load_model(artefact, "onnxruntime") as model:
        golden = read_golden(artefact, model.manifest)
        assert golden is not None
        with pytest.raises(ParityError, match="do not trust its masks"):
            check_golden(golden, model.manifest, lambda x: model.infer(x) + np.float32(1))
