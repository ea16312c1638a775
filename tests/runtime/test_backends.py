"""One conformance test over every backend that this machine can load, and how loading fails."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

from runtime.backends import BACKENDS, SUFFIXES, Backend, load_backend
from runtime.errors import BackendError, ModelError
from tests.runtime.models import SIZE, graph, manifest_of, write_model


@pytest.fixture(params=SUFFIXES[".onnx"])
def backend(request: pytest.FixtureRequest, tiny_model: Path) -> Iterator[Backend]:
    pytest.importorskip(BACKENDS[request.param].library)
    with load_backend(tiny_model, manifest_of(), request.param) as loaded:
        yield loaded


def inputs_of(batch: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (batch, *SIZE, 3), np.uint8)


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_logits_have_shape_dtype_and_values(backend: Backend, batch: int) -> None:
    inputs = inputs_of(batch)
    logits = backend.infer(inputs)
    assert logits.shape == (batch, 1, *SIZE)
    assert logits.dtype == np.float32
    expected = (inputs[..., 2].astype(np.float64) - inputs[..., 0]) / 32
    np.testing.assert_allclose(logits[:, 0], expected, atol=1e-5)


def test_a_later_call_never_changes_an_earlier_result(backend: Backend) -> None:
    inputs = inputs_of(1)
    first = backend.infer(inputs)
    kept = first.copy()
    backend.infer(255 - inputs)
    assert (first == kept).all()
    first[:] = 0  # the caller owns it and may write
    np.testing.assert_array_equal(backend.infer(inputs), kept)


def test_inputs_are_left_as_they_were(backend: Backend) -> None:
    inputs = inputs_of(2)
    kept = inputs.copy()
    backend.infer(inputs)
    assert (inputs == kept).all()


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((1, 3, *SIZE), np.uint8),
        ((1, SIZE[0], SIZE[1] + 16, 3), np.uint8),
        ((*SIZE, 3), np.uint8),
        ((0, *SIZE, 3), np.uint8),
        ((1, *SIZE, 3), np.float32),
        ((1, *SIZE, 3), np.int8),
    ],
)
def test_a_wrong_batch_is_refused_with_what_came_and_what_is_wanted(
    backend: Backend, shape: tuple[int, ...], dtype: type
) -> None:
    came = f"input {np.dtype(dtype)} {shape}"
    wanted = re.escape(f"was given {came}, wanted input uint8 (any, 32, 48, 3)")
    with pytest.raises(BackendError, match=wanted):
        backend.infer(np.zeros(shape, dtype))
    assert backend.infer(inputs_of(1)).shape == (1, 1, *SIZE)


def test_closing_twice_is_fine_and_use_after_close_is_refused(backend: Backend) -> None:
    backend.__exit__(None, None, None)
    backend.__exit__(None, None, None)
    with pytest.raises(BackendError, match=r"is closed; load the model again"):
        backend.infer(inputs_of(1))


def test_a_backend_says_what_it_runs_on(tiny_model: Path) -> None:
    with load_backend(tiny_model, manifest_of()) as loaded:
        assert loaded.name.startswith("onnxruntime (")


def test_an_unknown_backend_is_named_with_the_known_ones(tiny_model: Path) -> None:
    with pytest.raises(BackendError, match=r"unknown backend 'tpu'; choose from: auto, onn"):
        load_backend(tiny_model, manifest_of(), "tpu")


def test_a_suffix_that_nothing_runs_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"no backend runs model\.pt; wanted a file ending in"):
        load_backend(tmp_path / "model.pt", manifest_of())


def test_a_missing_library_is_named_with_the_way_to_get_it(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.delitem(sys.modules, "runtime.backends.onnxruntime", raising=False)
    with pytest.raises(BackendError, match=r"pip install 'flood-runtime\[cpu\]'"):
        load_backend(tiny_model, manifest_of(), "onnxruntime")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"input_name": "image"}, "takes image uint8 (any, 32, 48, 3)"),
        ({"output_name": "mask"}, "gives mask float32"),
        ({"size": (32, 64)}, "takes input uint8 (any, 32, 64, 3)"),
        ({"batch": 4}, "takes input uint8 (4, 32, 48, 3)"),
        ({"input_type": TensorProto.FLOAT}, "takes input float32 (any, 32, 48, 3)"),
    ],
)
def test_a_graph_that_does_not_fit_its_manifest_is_refused(
    tmp_path: Path, wrong: dict, said: str
) -> None:
    path = write_model(tmp_path / "model.onnx", graph(**wrong))
    with pytest.raises(
        ModelError, match=rf"does not fit its manifest: .*{re.escape(said)}.*, wanted input"
    ):
        load_backend(path, manifest_of(), "onnxruntime")


def test_a_file_that_is_no_graph_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no graph at all" * 50)
    with pytest.raises(ModelError, match=r"cannot load .*model\.onnx .*; export the model anew"):
        load_backend(path, manifest_of(), "onnxruntime")
    assert capfd.readouterr().err == ""
