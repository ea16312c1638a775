from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from runtime import shipped
from runtime.certificate import read_certificate
from runtime.errors import ModelError
from runtime.golden import check_golden, read_golden
from runtime.manifest_file import read_manifest
from runtime.model import load_model
from runtime.shipped import FILES, shipped_model

LARGEST_DEFAULT = 6_000_000


@pytest.mark.parametrize("precision", FILES)
def test_what_ships_is_complete_and_proved(precision: str) -> None:
    path = shipped_model(precision)
    manifest = read_manifest(path)
    certificate = read_certificate(path, manifest)
    assert certificate is not None
    assert certificate.passed
    assert read_golden(path, manifest) is not None
    assert path.stat().st_size <= LARGEST_DEFAULT
    assert manifest.trained_on.scores["iou"] > 0.7
    assert manifest.trained_on.teacher is not None


def test_all_of_it_comes_from_one_checkpoint() -> None:
    manifests = [read_manifest(shipped_model(precision)) for precision in FILES]
    assert len({manifest.provenance.checkpoint_sha256 for manifest in manifests}) == 1


def test_the_default_gives_its_golden_masks_here() -> None:
    path = shipped_model()
    with load_model(path, "onnxruntime") as model:
        golden = read_golden(path, model.manifest)
        assert golden is not None
        check_golden(golden, model.manifest, model.infer)
        height, width = model.manifest.input_size
        logits = model.infer(np.zeros((1, height, width, 3), np.uint8))
    assert np.isfinite(logits).all()


def test_an_incomplete_installation_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    with pytest.raises(ModelError, match=r"lacks its own model .* install flood-runtime again"):
        shipped_model()
