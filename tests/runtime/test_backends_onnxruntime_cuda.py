"""ONNX Runtime on CUDA: never silently on the CPU, and a CUDA graph where shapes are fixed."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from runtime.backends import load_backend
from runtime.errors import BackendError, ModelError
from tests.runtime.fake_cuda import ORIN
from tests.runtime.models import graph, manifest_of, write_model

onnxruntime = pytest.importorskip("onnxruntime")
from runtime.backends import onnxruntime_cuda  # noqa: E402 -- only where its library is

NAME = "onnxruntime-cuda"
CPU_ONLY = "CUDAExecutionProvider" not in onnxruntime.get_available_providers()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """A GPU and a library with CUDA, whose sessions run on the CPU; the options asked for."""
    options: list[dict[str, str]] = []

    def open_session(path: Path, providers: list[Any]) -> Any:
        (provider, asked_for), *_ = providers
        assert provider == "CUDAExecutionProvider"
        options.append(asked_for)
        return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    monkeypatch.setattr("runtime.backends.current_gpu", lambda: ORIN)
    monkeypatch.setattr(onnxruntime_cuda, "open_session", open_session)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    return options


@pytest.mark.skipif(not CPU_ONLY, reason="this onnxruntime has CUDA")
def test_a_library_without_cuda_is_told_to_be_replaced(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.backends.current_gpu", lambda: ORIN)
    with pytest.raises(BackendError, match=r"built without CUDA; .*'flood-runtime\[gpu\]'"):
        load_backend(tiny_model, manifest_of(), NAME)


def test_a_session_that_fell_back_to_the_cpu_is_refused(
    tiny_model: Path, asked: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = partial(print, "Failed to load libcudnn.so.9")
    monkeypatch.setattr(onnxruntime, "preload_dlls", missing, raising=False)
    said = r"CUDA did not start under onnxruntime \S+ \(Failed to load libcudnn\.so\.9\); .*cudnn\]"
    with pytest.raises(BackendError, match=said):
        load_backend(tiny_model, manifest_of(), NAME)
    (without_graph,) = asked  # a free batch cannot be captured
    assert without_graph["use_tf32"] == "0" and "enable_cuda_graph" not in without_graph


def test_a_fixed_batch_asks_for_a_cuda_graph_and_does_without_where_that_fails(
    tmp_path: Path, asked: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_model(tmp_path / "model.onnx", graph(batch=2), manifest_of(batch=2))
    ordinary = onnxruntime_cuda.open_session

    def no_graphs(path: Path, providers: list[Any]) -> Any:
        session = ordinary(path, providers)
        if "enable_cuda_graph" in providers[0][1]:
            raise ModelError("a node is not on the GPU")
        return session

    with pytest.raises(BackendError, match=r"CUDA did not start"):
        load_backend(path, manifest_of(batch=2), NAME)
    monkeypatch.setattr(onnxruntime_cuda, "open_session", no_graphs)
    with pytest.raises(BackendError, match=r"CUDA did not start"):
        load_backend(path, manifest_of(batch=2), NAME)
    assert ["enable_cuda_graph" in options for options in asked] == [True, True, False]
    assert all(options["use_tf32"] == "0" for options in asked)
