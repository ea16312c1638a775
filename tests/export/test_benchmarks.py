"""The benchmarks' own parts, on the tiny export of these tests."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import table
from benchmarks.contest import Plan
from benchmarks.contestants import CONTESTANTS
from benchmarks.entry import open_entry, weights_of
from benchmarks.environment import entry_from_environment
from benchmarks.graphs import find_artefacts, multiply_adds, reshaped, resize
from benchmarks.results import Shape
from benchmarks.worker import Outputs
from runtime.errors import ModelError
from runtime.manifest_file import read_manifest, write_manifest
from runtime.processor import computes_bf16
from train.models import build_model

Command = Callable[..., tuple[int, str, str]]
FEW = tuple(
    entry
    for entry in CONTESTANTS
    if entry.name in ("PyTorch eager FP32", "ONNX Runtime FP32", "TensorRT FP16", "OpenVINO INT8")
)


@pytest.fixture(scope="module")
def shape(exported: Path) -> Shape:
    """Without its checkpoint, at another size and batch than it was exported at."""
    plan = Plan(seconds=0, least=2, warm_up=1)
    return open_entry(exported / "exports" / "tiny").run((64, 96), 2, plan, FEW)


def test_every_path_is_a_row_with_its_numbers_or_its_reason(shape: Shape) -> None:
    reference, onnxruntime, openvino, tensorrt = shape.rows
    for row in (reference, onnxruntime):
        assert len(row.ms) == 2 and min(row.ms) > 0
        assert row.memory_mb is not None and row.memory_mb > 20
        assert not row.wrong and not row.missing
    assert "the export holds no int8 graph" in openvino.missing
    assert tensorrt.missing and not tensorrt.ms  # no library, or no GPU
    assert onnxruntime.parity["max_abs"] <= 1e-3
    usual = {"fp32 cpu", "int8 cpu"}
    assert set(shape.rates) == (usual | {"bf16 cpu"} if computes_bf16() else usual)
    assert all(rate > 1e6 for rates in shape.rates.values() for rate in rates)


def test_paths_that_are_not_named_are_left_out_but_for_the_reference(exported: Path) -> None:
    plan = Plan(seconds=0, least=1, warm_up=0, paths=("Runtime", "TensorRT"))
    rows = open_entry(exported / "exports" / "tiny").run((32, 48), 1, plan, FEW).rows
    left_out = [row.path for row in rows if row.missing == "left out by FLOOD_PATHS"]
    assert left_out == ["OpenVINO INT8"]
    assert [row.path for row in rows if row.ms] == ["PyTorch eager FP32", "ONNX Runtime FP32"]


def test_a_runtime_alone_takes_less_memory_than_pytorch(shape: Shape) -> None:
    memory = [row.memory_mb for row in shape.timed]
    assert memory[0] is not None and memory[1] is not None
    assert memory[1] < memory[0]


def test_the_table_names_every_path(command: Command, home: Path) -> None:
    arguments = ("--rounds", 1, "--seconds", 0)
    code, out, err = command(table.app, home / "exports" / "tiny", *arguments)
    assert code == 0, err
    for entry in CONTESTANTS:
        assert entry.compiled or entry.name.split()[0] in out
    assert "ONNX Runtime INT8: the export holds no int8 graph that fits this size" in out
    assert "every timed result was within its precision's limits" in err


def test_a_fast_wrong_path_does_not_win(command: Command, home: Path) -> None:
    path = home / "exports" / "tiny" / "model.fp16.onnx"
    manifest, graph = read_manifest(path), onnx.load(path)
    bias = next(each for each in graph.graph.initializer if each.name.endswith("layer1.bias"))
    shifted = onnx.numpy_helper.to_array(bias) + np.asarray(4, np.float16)
    bias.CopyFrom(onnx.numpy_helper.from_array(shifted, bias.name))
    path.write_bytes(graph.SerializeToString())
    write_manifest(manifest, path)
    arguments = ("--rounds", 1, "--seconds", 0)
    code, out, err = command(table.app, home / "exports" / "tiny", *arguments)
    assert code == 1
    assert "ONNX Runtime FP16 differs from PyTorch by more than allowed" in err
    assert "PyTorch eager FP32" in out


def test_one_wrong_answer_among_many_is_kept(tmp_path: Path) -> None:
    outputs, right = Outputs(1), np.zeros((1, 1, 2, 2), np.float32)
    for logits in (right, right, right + 3, right):
        outputs.add(0, logits)
    outputs.save(str(tmp_path / "kept.npy"))
    assert np.load(tmp_path / "kept.npy").max() == 3
    outputs.add(0, np.full_like(right, np.nan))
    outputs.save(str(tmp_path / "kept.npy"))
    assert np.isnan(np.load(tmp_path / "kept.npy")).all()


def test_a_folder_without_exports(command: Command, tmp_path: Path) -> None:
    code, _, err = command(table.app, tmp_path)
    assert code == 1
    assert "holds no .onnx file; make some with" in err


def test_each_size_takes_what_was_exported_at_it(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, other = exported / "exports" / "tiny", tmp_path / "other"
    other.mkdir()
    resize(find_artefacts(first), 1, (64, 96), other)
    (other / ".model.0123abcd.onnx").touch()  # what an export left that was killed
    monkeypatch.setenv("FLOOD_EXPORTS", f"{first}{os.pathsep}{other}")
    entry = entry_from_environment()
    assert entry is not None
    assert set(entry.artefacts_at((64, 96)).values()) == set(other.glob("[!.]*.onnx"))
    assert entry.artefacts_at((96, 96)) == entry.artefacts == find_artefacts(first)


def test_exports_of_two_checkpoints_are_refused(exported: Path, tmp_path: Path) -> None:
    first = exported / "exports" / "tiny"
    resize({"fp32": first / "model.onnx"}, 1, (64, 96), tmp_path)
    path = tmp_path / "fp32.onnx"
    manifest = read_manifest(path)
    provenance = dataclasses.replace(manifest.provenance, checkpoint_sha256="0" * 64)
    write_manifest(dataclasses.replace(manifest, provenance=provenance), path)
    with pytest.raises(
        ModelError, match=r"fp32.onnx was exported from another checkpoint .*--size"
    ):
        open_entry(first, others=[tmp_path])


def test_multiply_adds_are_those_of_pytorch(
    traced: Callable[[str, int], onnx.ModelProto], network: nn.Module
) -> None:
    graph = reshaped(traced("fp32", 1), 2, (64, 48))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(2, 3, 64, 48))
    assert multiply_adds(graph) == counter.get_total_flops() / 2


def test_a_graph_gives_back_the_weights_it_was_made_from(exported: Path) -> None:
    path = exported / "exports" / "tiny" / "model.onnx"
    manifest = read_manifest(path)
    network = build_model(manifest.model, manifest.width)
    network.load_state_dict(weights_of(onnx.load(path)))  # raises for one missing or too many
