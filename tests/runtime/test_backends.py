"""One conformance test over every backend, and how loading fails.

The two GPU backends take part without a GPU: TensorRT on a stand-in for its library and CUDA's,
ONNX Runtime's bound buffers on the real library, in host memory.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

from runtime.backends import BACKENDS, Backend, load_backend
from runtime.errors import BackendError, ModelError
from runtime.manifest_file import write_manifest
from tests.runtime.engines import cuda_stand_in, write_engine
from tests.runtime.fake_cuda import ORIN
from tests.runtime.models import SIZE, graph, manifest_of, write_model

LIBRARIES = {"onnxruntime-cuda": "onnxruntime", "openvino": "openvino", "fake": "numpy"}


@pytest.fixture(params=BACKENDS)
def load(
    request: pytest.FixtureRequest, tiny_model: Path, tmp_path: Path
) -> Iterator[Callable[[], Backend]]:
    """Loads the same computation into one backend after the other."""
    name = request.param
    path, manifest = tiny_model, manifest_of()
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        if BACKENDS[name].needs_gpu:
            patch.setattr("runtime.backends.current_gpu", lambda: ORIN)
        if name == "tensorrt":
            stack.enter_context(cuda_stand_in())
            path, manifest = write_engine(tmp_path / "model.engine")
        else:
            pytest.importorskip(LIBRARIES.get(name, name))
        if name == "onnxruntime-cuda":
            from runtime.backends import onnxruntime_cuda

            patch.setattr(onnxruntime_cuda, "CUDA", "CPUExecutionProvider")
            patch.setattr(onnxruntime_cuda, "DEVICE", "cpu")
        yield lambda: stack.enter_context(load_backend(path, manifest, name))


@pytest.fixture
def backend(load: Callable[[], Backend]) -> Backend:
    return load()


def inputs_of(batch: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (batch, *SIZE, 3), np.uint8)


def expected_of(inputs: np.ndarray) -> np.ndarray:
    return ((inputs[..., 2].astype(np.float64) - inputs[..., 0]) / 32)[:, np.newaxis]


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_logits_have_shape_dtype_and_values(backend: Backend, batch: int) -> None:
    inputs = inputs_of(batch)
    logits = backend.infer(inputs)
    assert logits.shape == (batch, 1, *SIZE)
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, expected_of(inputs), atol=1e-5)


def test_batch_sizes_may_change_from_call_to_call(backend: Backend) -> None:
    for seed, batch in enumerate([1, 1, 1, 3, 3, 3, 1, 2, 1, 1, 7, 7, 1]):
        inputs = inputs_of(batch, seed)
        np.testing.assert_allclose(backend.infer(inputs), expected_of(inputs), atol=1e-5)


def test_a_later_call_never_changes_an_earlier_result(backend: Backend) -> None:
    inputs = inputs_of(1)
    first = backend.infer(inputs)
    kept = first.copy()
    for seed in range(1, 4):
        backend.infer(inputs_of(1, seed))
    assert (first == kept).all()
    first[:] = 0  # the caller owns it and may write
    np.testing.assert_array_equal(backend.infer(inputs), kept)


def test_a_result_outlives_its_backend(load: Callable[[], Backend]) -> None:
    with load() as backend:
        logits = backend.infer(inputs_of(2))
    np.testing.assert_allclose(logits, expected_of(inputs_of(2)), atol=1e-5)


def test_inputs_are_left_as_they_were_and_may_change_afterwards(backend: Backend) -> None:
    inputs = inputs_of(2)
    kept = inputs.copy()
    logits = backend.infer(inputs)
    assert (inputs == kept).all()
    inputs[:] = 0
    np.testing.assert_allclose(logits, expected_of(kept), atol=1e-5)


def test_read_only_and_strided_inputs_are_taken(backend: Backend) -> None:
    inputs = inputs_of(4)
    inputs.flags.writeable = False
    np.testing.assert_allclose(backend.infer(inputs), expected_of(inputs), atol=1e-5)
    every_second = inputs[::2, ..., ::-1]
    np.testing.assert_allclose(backend.infer(every_second), expected_of(every_second), atol=1e-5)


def test_concurrent_calls_are_safe(backend: Backend) -> None:
    threads, calls = 4, 25
    start = threading.Barrier(threads)

    def work(thread: int) -> None:
        start.wait()
        for call in range(calls):
            inputs = inputs_of(1 + (thread + call) % 3, seed=thread * calls + call)
            np.testing.assert_allclose(backend.infer(inputs), expected_of(inputs), atol=1e-5)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))


OVERLAPPING = [name for name, entry in BACKENDS.items() if entry.overlaps]


@pytest.mark.parametrize("name", OVERLAPPING)
def test_several_calls_at_once_give_what_single_calls_give(name: str, tiny_model: Path) -> None:
    pytest.importorskip(LIBRARIES.get(name, name))
    with load_backend(tiny_model, manifest_of(), name, in_flight=3) as backend:
        assert backend.in_flight == 3
        with ThreadPoolExecutor(5) as pool:
            given = [inputs_of(1 + seed % 2, seed) for seed in range(60)]
            for inputs, logits in zip(given, pool.map(backend.infer, given), strict=True):
                np.testing.assert_allclose(logits, expected_of(inputs), atol=1e-5)
    with pytest.raises(BackendError, match="is closed"):
        backend.infer(inputs_of(1))


def test_backends_that_run_one_call_at_a_time_say_so(load: Callable[[], Backend]) -> None:
    assert load().in_flight == 1


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
    backend.infer(inputs_of(1))
    backend.__exit__(None, None, None)
    backend.__exit__(None, None, None)
    with pytest.raises(BackendError, match=r"is closed; load the model again"):
        backend.infer(inputs_of(1))


def test_two_backends_of_one_artefact_do_not_disturb_each_other(
    load: Callable[[], Backend],
) -> None:
    first, second = load(), load()
    logits = first.infer(inputs_of(1))
    second.infer(inputs_of(1, seed=1))
    second.__exit__(None, None, None)
    np.testing.assert_array_equal(first.infer(inputs_of(1)), logits)


def test_every_backend_has_a_name_that_begins_with_its_library(backend: Backend) -> None:
    assert backend.name.split()[0].split("-")[0] in {name.split("-")[0] for name in BACKENDS}


def test_an_unknown_backend_is_named_with_the_known_ones(tiny_model: Path) -> None:
    with pytest.raises(BackendError, match=r"unknown backend 'tpu'; choose from: auto, .*onnx"):
        load_backend(tiny_model, manifest_of(), "tpu")


def test_a_backend_for_other_artefacts_is_refused_with_those_that_fit(tiny_model: Path) -> None:
    wanted = r"'tensorrt' does not run \.onnx files; choose from: auto, onnxruntime-cuda, openvino"
    with pytest.raises(BackendError, match=wanted):
        load_backend(tiny_model, manifest_of(), "tensorrt")


def test_a_suffix_that_nothing_runs_is_named(tmp_path: Path) -> None:
    wanted = r"no backend runs model\.pt; wanted a file ending in \.engine or \.onnx"
    with pytest.raises(BackendError, match=wanted):
        load_backend(tmp_path / "model.pt", manifest_of())


@pytest.mark.parametrize(
    ("name", "library", "extra"),
    [("onnxruntime", "onnxruntime", "cpu"), ("openvino", "openvino", "openvino")],
)
def test_a_missing_library_is_named_with_the_way_to_get_it(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, name: str, library: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, BACKENDS[name].module, raising=False)
    with pytest.raises(BackendError, match=rf"'{name}' needs .*'flood-runtime\[{extra}\]'"):
        load_backend(tiny_model, manifest_of(), name)


@pytest.mark.parametrize(
    ("name", "library"), [("onnxruntime-cuda", "onnxruntime"), ("tensorrt", "tensorrt")]
)
def test_without_a_gpu_the_library_of_one_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, library: str
) -> None:
    """Every start would wait for an import only to be told so."""
    monkeypatch.setattr("runtime.backends.current_gpu", lambda: None)
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, BACKENDS[name].module, raising=False)
    with pytest.raises(BackendError, match=rf"'{name}' needs an NVIDIA GPU"):
        load_backend(tmp_path / f"model{BACKENDS[name].suffixes[0]}", manifest_of(), name)


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
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
    tmp_path: Path, wrong: dict, said: str, name: str
) -> None:
    pytest.importorskip(name)
    path = write_model(tmp_path / "model.onnx", graph(**wrong))
    with pytest.raises(
        ModelError, match=rf"does not fit its manifest: .*{re.escape(said)}.*, wanted input"
    ):
        load_backend(path, manifest_of(), name)


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("content", [b"", b"no graph at all" * 50, "truncated"])
def test_a_file_that_is_no_graph_is_refused_in_one_line(
    tmp_path: Path,
    tiny_model: Path,
    capfd: pytest.CaptureFixture,
    name: str,
    content: bytes | str,
) -> None:
    pytest.importorskip(name)
    path = tmp_path / "model.onnx"
    path.write_bytes(content if isinstance(content, bytes) else tiny_model.read_bytes()[:-40])
    with pytest.raises(ModelError, match=r"model\.onnx .*; export the model anew"):
        load_backend(path, manifest_of(), name)
    assert capfd.readouterr() == ("", "")


def test_a_graph_whose_names_are_no_text_is_refused_in_one_line(tmp_path: Path) -> None:
    path = write_model(tmp_path / "model.onnx")
    path.write_bytes(path.read_bytes().replace(b"batch", b"\x80atch"))
    manifest = write_manifest(manifest_of(), path)
    with pytest.raises(ModelError, match=r"ONNX Runtime cannot load .*export the model anew"):
        load_backend(path, manifest, "onnxruntime").__enter__()
