"""Models: verified when loaded, and any number of frames at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import runtime.model
from runtime.errors import BackendError, ManifestError
from runtime.model import load_model
from tests.runtime.models import SIZE, graph, manifest_of, write_model


def test_a_model_carries_its_manifest_and_closes_its_backend(tiny_model: Path) -> None:
    inputs = np.zeros((1, *SIZE, 3), np.uint8)
    with load_model(tiny_model) as model:
        assert model.manifest.input_size == SIZE
        assert model.infer(inputs).shape == (1, 1, *SIZE)
    with pytest.raises(BackendError, match=r"is closed"):
        model.infer(inputs)


def test_a_changed_model_is_refused_before_it_is_loaded(tmp_path: Path) -> None:
    path = write_model(tmp_path / "model.onnx")
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ManifestError, match=r"is not the file its manifest describes"):
        load_model(path)


@pytest.mark.parametrize("frames", [1, 3, 4, 9])
def test_a_fixed_batch_takes_any_number_of_frames(tmp_path: Path, frames: int) -> None:
    path = write_model(tmp_path / "model.onnx", graph(batch=4), manifest_of(batch=4))
    inputs = np.random.default_rng(0).integers(0, 256, (frames, *SIZE, 3), np.uint8)
    with load_model(path) as fixed, load_model(path, "fake") as reference:
        logits = fixed.infer(inputs)
        assert logits.shape == (frames, 1, *SIZE)
        np.testing.assert_allclose(logits, reference.infer(inputs), atol=1e-5)


@pytest.mark.parametrize(
    ("precision", "throughput", "cores", "at_once"),
    [
        ("int8", True, 4, 2),
        ("int8", True, 1, 1),
        ("int8", False, 4, 1),
        ("fp32", True, 4, 1),
    ],
)
def test_int8_frames_run_two_at_once_where_throughput_counts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    precision: str,
    throughput: bool,
    cores: int,
    at_once: int,
) -> None:
    monkeypatch.setattr(runtime.model, "usable_cores", lambda: cores)
    path = write_model(tmp_path / "model.onnx", manifest=manifest_of(precision=precision))
    with load_model(path, "onnxruntime", throughput=throughput) as model:
        assert model.in_flight == at_once
