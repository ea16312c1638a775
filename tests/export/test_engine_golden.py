"""The golden frames that engines of the graph's own size and of another one get."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest

from runtime.engine import build_engine
from runtime.engine_golden import golden_for
from runtime.engine_library import load_library
from runtime.engine_plan import plan_engine
from runtime.errors import ParityError
from runtime.golden import LARGEST_FILE, check_golden, golden_path, read_golden, write_golden
from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest
from runtime.model import load_model
from tests.runtime.models import graph as any_graph
from tests.runtime.models import manifest_of, write_model
from tests.runtime.test_golden import golden_of

OTHER = (48, 80)


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """A graph of any size with golden frames of its usual one."""
    free = any_graph(size=("rows", "columns"))  # type: ignore[arg-type]
    manifest = manifest_of(dynamic_size=True, precision="int8")
    path = write_model(tmp_path / "model.onnx", free, manifest)
    write_golden(golden_of(), path)
    return path


def engine_of(graph: Path, size: tuple[int, int]) -> tuple[Path, Manifest]:
    manifest = dataclasses.replace(read_manifest(graph).at_size(size), dynamic_size=False)
    return graph.with_name("model.engine"), manifest


def test_an_engine_of_the_graphs_size_gets_the_same(graph: Path) -> None:
    engine, manifest = engine_of(graph, manifest_of().input_size)
    golden = golden_for(graph, manifest, engine)
    assert golden is not None
    np.testing.assert_array_equal(golden.masks, golden_of().masks)


def test_an_engine_of_another_size_gets_the_masks_of_that_size(graph: Path) -> None:
    engine, manifest = engine_of(graph, OTHER)
    golden = golden_for(graph, manifest, engine)
    assert golden is not None
    assert write_golden(golden, engine).stat().st_size < LARGEST_FILE
    assert (golden.input_size, len(golden.frames)) == (OTHER, 8)
    with load_model(graph, "onnxruntime", input_size=OTHER) as model:
        assert check_golden(golden, manifest, model.infer) == 0
        with pytest.raises(ParityError, match="do not trust its masks"):
            check_golden(golden, manifest, lambda inputs: -model.infer(inputs))


def test_without_onnx_runtime_one_line_says_that_there_are_none(
    graph: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.delitem(sys.modules, "runtime.backends.onnxruntime", raising=False)
    engine, manifest = engine_of(graph, OTHER)
    assert golden_for(graph, manifest, engine) is None
    (line,) = capsys.readouterr().err.splitlines()
    assert "no golden frames for model.engine" in line and "library onnxruntime" in line


def test_a_graph_without_golden_frames_has_none_to_give(
    graph: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    golden_path(graph).unlink()
    engine, manifest = engine_of(graph, OTHER)
    assert golden_for(graph, manifest, engine) is None
    (line,) = capsys.readouterr().err.splitlines()
    assert "so no self-test for model.engine" in line


@pytest.mark.skipif(
    load_library("tensorrt_rtx") is None, reason="TensorRT for RTX is not installed"
)
def test_a_real_engine_of_another_size_has_golden_frames(graph: Path) -> None:
    described = dataclasses.replace(read_manifest(graph), precision="fp32", batch=1)
    free = any_graph(size=("rows", "columns"), batch=1)  # type: ignore[arg-type]
    write_model(graph, free, described)
    built = build_engine(plan_engine(graph, "tensorrt-rtx", None, OTHER))
    golden = read_golden(built, read_manifest(built))
    assert golden is not None and golden.input_size == OTHER
