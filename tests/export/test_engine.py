"""Engines from real exported graphs, with the real parser and builder of TensorRT for RTX."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import onnx
import pytest
from torch import nn

from export import __main__ as main
from export.graph import ExportedNetwork, to_bytes, trace
from runtime import cli, engine
from runtime.engine import build_engine, configure, find_builder
from runtime.engine_versions import dialect_of
from runtime.errors import BackendError, ManifestError, ModelError
from runtime.files import sha256
from runtime.gpu import Gpu, current_gpu
from runtime.manifest import Manifest, read_manifest, write_manifest

Command = Callable[..., tuple[int, str, str]]
RTX = "tensorrt-rtx"
needs_rtx = pytest.mark.skipif(
    engine._load("tensorrt_rtx") is None, reason="TensorRT for RTX is not installed"
)
needs_no_gpu = pytest.mark.skipif(current_gpu() is not None, reason="this machine has a GPU")


@needs_rtx
@pytest.mark.parametrize(
    ("name", "half"), [("model.onnx", {}), ("model.fp16.onnx", {"graph": (62, 67)})]
)
def test_exported_graphs_become_engines(
    home: Path, name: str, half: dict[str, tuple[int, int]]
) -> None:
    graph = home / "exports" / "tiny" / name
    built = build_engine(graph, RTX)
    manifest, source = read_manifest(built), read_manifest(graph)
    assert built.parent == graph.parent
    assert built.stat().st_size > 100_000
    assert manifest.engine is not None
    assert manifest.engine.source_sha256 == sha256(graph)
    assert manifest.engine.version in built.name
    assert manifest.precision == source.precision
    assert manifest.half_layers.get("graph") == half.get("graph")
    assert {path.suffix for path in graph.parent.iterdir()} == {".onnx", ".json", ".npz", ".engine"}


@needs_rtx
def test_the_parsed_network_is_half_where_the_graph_is(home: Path) -> None:
    built = build_engine(home / "exports" / "tiny" / "model.fp16.onnx", RTX)
    half, layers = read_manifest(built).half_layers["tensorrt"]
    assert half == 62
    assert half / layers >= 0.8


@needs_rtx
def test_a_dynamic_batch_becomes_an_optimisation_profile(
    network: nn.Module, manifest: Manifest, tmp_path: Path
) -> None:
    graph = tmp_path / "model.onnx"
    graph.write_bytes(to_bytes(trace(ExportedNetwork(network, manifest), manifest)))
    write_manifest(manifest, graph)
    assert build_engine(graph, RTX).is_file()


@needs_rtx
def test_the_command_line_builds_and_prints_the_engine(command: Command, home: Path) -> None:
    graph = home / "exports" / "tiny" / "model.fp16.onnx"
    code, out, err = command(cli.app, "build", graph, "--builder", RTX, "--out", home / "engines")
    assert code == 0, err
    assert Path(out.split()[-1]).parent == home / "engines"
    assert "minutes are normal" in err
    assert "62 of 71 layers" in err


@needs_rtx
def test_export_builds_engines_when_told_to(
    command: Command, home: Path, photographs: Path
) -> None:
    arguments = ("--engine", RTX, "--data", photographs, "--out", home / "out")
    code, _, err = command(main.app, home / "runs/tiny/best.safetensors", *arguments)
    assert code == 0, err
    assert len(list((home / "out").glob("*.engine"))) == 1


@needs_no_gpu
def test_without_a_gpu_export_says_what_to_run_on_the_device(capsys: Any) -> None:
    main.build_engines([Path("exports/x/model.onnx")], "auto")
    line = capsys.readouterr().err
    assert "no engine can be built here" in line
    assert "build it on the device with: flood-runtime build exports/x/model.onnx" in line
    assert line.count("\n") == 1


def test_a_builder_that_was_named_has_to_be_there(home: Path) -> None:
    with pytest.raises(BackendError, match="no builder 'trt'; choose from: auto, tensorrt"):
        build_engine(home / "exports/tiny/model.onnx", "trt")
    if engine._load("tensorrt") is None:
        with pytest.raises(BackendError, match="tensorrt is not installed"):
            build_engine(home / "exports/tiny/model.onnx", "tensorrt")


@needs_rtx
def test_a_graph_the_parser_refuses_leaves_nothing(home: Path) -> None:
    graph = home / "exports" / "tiny" / "model.onnx"
    manifest = read_manifest(graph)
    model = onnx.load(graph)
    model.graph.node[1].op_type = "Unknowable"
    graph.write_bytes(model.SerializeToString())
    with pytest.raises(ManifestError, match="is not the file its manifest describes"):
        build_engine(graph, RTX)
    write_manifest(manifest, graph)
    with pytest.raises(ModelError, match=r"cannot read .*model.onnx"):
        build_engine(graph, RTX)
    assert not list(graph.parent.glob("*engine*"))


@needs_rtx
def test_ctrl_c_leaves_nothing_half_written(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states = []

    class Interrupted:
        def result(self, timeout: float) -> None:
            raise KeyboardInterrupt

    class Pool(engine.ThreadPoolExecutor):
        def submit(self, *arguments: Any) -> Any:  # type: ignore[override]
            states.append(arguments)
            return Interrupted()

    monkeypatch.setattr(engine, "ThreadPoolExecutor", Pool)
    with pytest.raises(KeyboardInterrupt):
        build_engine(home / "exports/tiny/model.onnx", RTX)
    assert states
    assert not list((home / "exports/tiny").glob("*engine*"))


class Recorder:
    """A builder's configuration that remembers what it was told."""

    def __init__(self) -> None:
        self.flags: set[str] = {"TF32"}
        self.pools: dict[str, int] = {}
        self.profiles: list[tuple[Any, ...]] = []

    def create_builder_config(self) -> Recorder:
        return self

    def create_optimization_profile(self) -> Recorder:
        return self

    def set_shape(self, name: str, *shapes: Any) -> None:
        self.profiles.append((name, *shapes))

    def add_optimization_profile(self, profile: Any) -> None:
        assert profile is self

    def set_flag(self, flag: str) -> None:
        self.flags.add(flag)

    def clear_flag(self, flag: str) -> None:
        self.flags.discard(flag)

    def set_memory_pool_limit(self, pool: str, size: int) -> None:
        self.pools[pool] = size


LIBRARY = SimpleNamespace(
    BuilderFlag=SimpleNamespace(TF32="TF32", FP16="FP16", INT8="INT8"),
    MemoryPoolType=SimpleNamespace(WORKSPACE="WORKSPACE"),
    ProfilingVerbosity=SimpleNamespace(DETAILED="DETAILED"),
)
LIBRARY_11 = SimpleNamespace(
    BuilderFlag=SimpleNamespace(TF32="TF32"),
    MemoryPoolType=LIBRARY.MemoryPoolType,
    ProfilingVerbosity=LIBRARY.ProfilingVerbosity,
)


@pytest.mark.parametrize(
    ("version", "precision", "flags"),
    [
        ("10.3.0", "fp32", set()),
        ("10.3.0", "fp16", {"FP16"}),
        ("10.3.0", "int8", {"FP16", "INT8"}),
        ("10.16.2", "fp16", set()),
        ("11.4.1", "fp16", set()),
        ("11.4.1", "int8", set()),
    ],
)
def test_each_version_is_told_its_own_flags(
    manifest: Manifest, version: str, precision: str, flags: set[str]
) -> None:
    recorder: Any = Recorder()
    library = LIBRARY_11 if version.startswith("11") else LIBRARY
    wanted = dataclasses.replace(manifest, precision=precision)
    configure(library, recorder, dialect_of("tensorrt", version), wanted, None)
    assert recorder.flags == flags
    assert recorder.pools == {}


def test_a_jetson_keeps_half_of_the_memory_it_shares(manifest: Manifest) -> None:
    recorder: Any = Recorder()
    orin = Gpu(name="Orin", compute_capability="8.7", driver="12.6", integrated=True)
    configure(LIBRARY, recorder, dialect_of("tensorrt", "10.3.0"), manifest, orin)
    assert 2**27 < recorder.pools["WORKSPACE"] <= engine.free_memory() // 2 + 2**30
    (profile,) = recorder.profiles
    assert profile[1:] == tuple((count, *manifest.input_size, 3) for count in engine.BATCHES)


def test_tensorrt_10_3_makes_fp16_engines_from_the_fp32_graph(home: Path) -> None:
    fp16 = home / "exports" / "tiny" / "model.fp16.onnx"
    old, new = dialect_of("tensorrt", "10.3.0"), dialect_of("tensorrt", "10.16.2")
    assert engine._source_graph(fp16, read_manifest(fp16), old) == fp16.with_name("model.onnx")
    assert engine._source_graph(fp16, read_manifest(fp16), new) == fp16
    fp16.with_name("model.onnx").unlink()
    with pytest.raises(ModelError, match="copy it beside the other"):
        engine._source_graph(fp16, read_manifest(fp16), old)


def test_type_stubs_alone_are_no_builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "only_stubs_of_a_builder").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert engine._load("only_stubs_of_a_builder") is None
    assert engine._load("no_builder_at_all") is None


@needs_no_gpu
def test_auto_never_builds_for_a_gpu_that_is_not_there() -> None:
    with pytest.raises(BackendError, match=r"found no NVIDIA GPU|is not installed"):
        find_builder("auto")
