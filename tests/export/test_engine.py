"""Engines from real exported graphs, with the real parser and builder of TensorRT for RTX."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import onnx
import pytest
from torch import nn

from export import __main__ as main
from export.graph import ExportedNetwork, to_bytes, trace
from runtime import cli, engine, engine_library, engine_network, engine_renewal
from runtime.engine import build_engine, plan_engine
from runtime.engine_library import find_builder, load_library
from runtime.engine_network import configure, count_half_built
from runtime.engine_renewal import fitting_engine
from runtime.engine_versions import dialect_of
from runtime.errors import BackendError, ManifestError, ModelError
from runtime.files import sha256
from runtime.golden import read_golden
from runtime.gpu import Gpu, current_gpu
from runtime.manifest import Manifest, read_manifest, write_manifest

Command = Callable[..., tuple[int, str, str]]
RTX = "tensorrt-rtx"
needs_rtx = pytest.mark.skipif(
    load_library("tensorrt_rtx") is None, reason="TensorRT for RTX is not installed"
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
    built = build_engine(plan_engine(graph, RTX))
    manifest, source = read_manifest(built), read_manifest(graph)
    assert built.parent == graph.parent
    assert built.stat().st_size > 100_000
    assert manifest.engine is not None
    assert manifest.engine.source_sha256 == sha256(graph)
    assert manifest.engine.version in built.name
    assert manifest.precision == source.precision
    assert manifest.half_layers.get("graph") == half.get("graph")
    suffixes = {path.suffix for path in graph.parent.iterdir()}
    assert suffixes == {".onnx", ".json", ".npz", ".engine", ".parity"}


@needs_rtx
def test_the_parsed_network_is_half_where_the_graph_is(home: Path) -> None:
    built = build_engine(plan_engine(home / "exports" / "tiny" / "model.fp16.onnx", RTX))
    half, layers = read_manifest(built).half_layers["tensorrt network"]
    assert half == 62
    assert half / layers >= 0.8


@needs_rtx
def test_a_dynamic_batch_becomes_an_optimisation_profile(
    network: nn.Module, manifest: Manifest, tmp_path: Path
) -> None:
    graph = tmp_path / "model.onnx"
    graph.write_bytes(to_bytes(trace(ExportedNetwork(network, manifest), manifest)))
    write_manifest(manifest, graph)
    assert build_engine(plan_engine(graph, RTX)).is_file()


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
        build_engine(plan_engine(home / "exports/tiny/model.onnx", "trt"))
    if load_library("tensorrt") is None:
        with pytest.raises(BackendError, match="tensorrt is not installed"):
            build_engine(plan_engine(home / "exports/tiny/model.onnx", "tensorrt"))


@needs_rtx
def test_one_graph_of_any_size_becomes_an_engine_of_each(
    command: Command, network: nn.Module, manifest: Manifest, tmp_path: Path
) -> None:
    manifest = dataclasses.replace(manifest, batch=1, dynamic_size=True)
    graph = tmp_path / "model.onnx"
    graph.write_bytes(to_bytes(trace(ExportedNetwork(network, manifest), manifest)))
    write_manifest(manifest, graph)
    code, out, err = command(cli.app, "build", graph, "--builder", RTX, "--size", "48x80")
    assert code == 0, err
    built = read_manifest(Path(out.strip()))
    assert Path(out.strip()).name.startswith("model-48x80.fp32.")
    assert (built.input_size, built.dynamic_size) == ((48, 80), False)
    usual = build_engine(plan_engine(graph, RTX))
    assert read_manifest(usual).input_size == manifest.input_size
    assert len(list(tmp_path.glob("*.engine"))) == 2
    code, _, err = command(cli.app, "build", graph, "--size", "50x80")
    assert (code, "size 50 is no multiple of 16; nearest: 48 or 64" in err) == (1, True)


@needs_rtx
def test_a_graph_of_one_size_builds_no_other(home: Path) -> None:
    with pytest.raises(ManifestError, match=r"takes 32x48 only, not 48x80; export it anew with"):
        plan_engine(home / "exports/tiny/model.onnx", RTX, None, (48, 80))


@needs_rtx
def test_golden_frames_travel_with_the_engine(home: Path) -> None:
    graph = home / "exports" / "tiny" / "model.fp16.onnx"
    built = build_engine(plan_engine(graph, RTX, home / "engines"))
    golden, source = (
        read_golden(built, read_manifest(built)),
        read_golden(graph, read_manifest(graph)),
    )
    assert golden is not None and source is not None
    assert (golden.masks == source.masks).all()


ORIN = Gpu(name="Orin", compute_capability="8.7", driver="12.6", integrated=True)


@needs_rtx
def test_an_engine_that_does_not_fit_is_built_anew_once_and_then_taken(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def move_to(gpu: Gpu) -> None:
        for module in (engine_library, engine_renewal):
            monkeypatch.setattr(module, "current_gpu", lambda: gpu)

    move_to(ORIN)
    graph = home / "exports" / "tiny" / "model.fp16.onnx"
    engine_of_orin = build_engine(plan_engine(graph, RTX))
    assert fitting_engine(engine_of_orin) == engine_of_orin
    capsys.readouterr()
    move_to(dataclasses.replace(ORIN, name="Thor"))
    renewed = fitting_engine(engine_of_orin)
    lines = capsys.readouterr().err.splitlines()
    assert "was built for GPU Orin, here it is Thor; building it anew from" in lines[0]
    assert ".thor." in renewed.name and renewed.is_file()
    assert fitting_engine(engine_of_orin) == renewed
    assert capsys.readouterr().err.count("taking") == 1
    graph.unlink()
    assert fitting_engine(engine_of_orin) == engine_of_orin, "the backend says what is wrong"


@needs_rtx
def test_an_engine_of_an_older_graph_is_built_anew(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in (engine_library, engine_renewal):
        monkeypatch.setattr(module, "current_gpu", lambda: ORIN)
    graph = home / "exports" / "tiny" / "model.onnx"
    old = build_engine(plan_engine(graph, RTX))
    model = onnx.load(graph)
    model.producer_name = "somebody else"
    manifest = read_manifest(graph)
    graph.write_bytes(model.SerializeToString())
    write_manifest(manifest, graph)
    new = fitting_engine(old)
    assert new != old and new.is_file()
    assert "was built for source graph" in capsys.readouterr().err


@needs_rtx
def test_a_graph_the_parser_refuses_leaves_nothing(home: Path) -> None:
    graph = home / "exports" / "tiny" / "model.onnx"
    manifest = read_manifest(graph)
    model = onnx.load(graph)
    model.graph.node[1].op_type = "Unknowable"
    graph.write_bytes(model.SerializeToString())
    with pytest.raises(ManifestError, match="is not the file its manifest describes"):
        build_engine(plan_engine(graph, RTX))
    write_manifest(manifest, graph)
    with pytest.raises(ModelError, match=r"cannot read .*model.onnx"):
        build_engine(plan_engine(graph, RTX))
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
        build_engine(plan_engine(home / "exports/tiny/model.onnx", RTX))
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
    assert 2**27 < recorder.pools["WORKSPACE"] <= engine_network.free_memory() // 2 + 2**30
    (profile,) = recorder.profiles
    assert profile[1:] == tuple(
        (count, *manifest.input_size, 3) for count in engine_network.BATCHES
    )


def test_tensorrt_10_3_makes_fp16_engines_from_the_fp32_graph(home: Path) -> None:
    fp16 = home / "exports" / "tiny" / "model.fp16.onnx"
    old, new = dialect_of("tensorrt", "10.3.0"), dialect_of("tensorrt", "10.16.2")
    assert engine._source_graph(fp16, read_manifest(fp16), old) == fp16.with_name("model.onnx")
    assert engine._source_graph(fp16, read_manifest(fp16), new) == fp16
    fp16.with_name("model.onnx").unlink()
    with pytest.raises(ModelError, match="copy it there"):
        engine._source_graph(fp16, read_manifest(fp16), old)


def test_type_stubs_alone_are_no_builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "only_stubs_of_a_builder").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert load_library("only_stubs_of_a_builder") is None
    assert load_library("no_builder_at_all") is None


@needs_no_gpu
def test_auto_never_builds_for_a_gpu_that_is_not_there() -> None:
    with pytest.raises(BackendError, match=r"found no NVIDIA GPU|is not installed"):
        find_builder("auto")


class Inspected:
    """A runtime, an engine and its inspector, that say what this text says."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __call__(self, logger: object) -> Inspected:
        return self

    def deserialize_cuda_engine(self, plan: bytes) -> Inspected | None:
        return self if plan else None

    def create_engine_inspector(self) -> Inspected:
        return self

    def get_engine_information(self, kind: str) -> str:
        return self.text


def layers(*types: str) -> str:
    outputs = [{"Outputs": [{"Name": "x", "Format/Datatype": each}]} for each in types]
    return json.dumps({"Layers": outputs, "Bindings": ["input", "logits"]})


@pytest.mark.parametrize(
    ("text", "plan", "counted"),
    [
        (layers("Row major linear FP16 format", "Half", "Row major linear FP32"), b"x", (2, 3)),
        (layers("Float", "Float"), b"x", (0, 2)),
        (json.dumps({"Layers": ["conv1", "conv2"]}), b"x", None),
        ("no JSON", b"x", None),
        (layers("Half"), b"", None),
    ],
)
def test_where_precision_is_a_permission_the_built_layers_are_counted(
    text: str, plan: bytes, counted: tuple[int, int] | None
) -> None:
    library = SimpleNamespace(
        Runtime=Inspected(text), LayerInformationFormat=SimpleNamespace(JSON="json")
    )
    assert count_half_built(library, None, plan) == counted  # type: ignore[arg-type]


def test_an_engine_that_stayed_in_float32_is_never_called_fp16(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_of_tensorrt_10_3(home, monkeypatch)
    monkeypatch.setattr(engine, "count_half_built", lambda *_: (3, 40))
    with pytest.raises(ModelError, match="only 3 of 40 layers in its tensorrt engine are half"):
        build_engine(plan)
    assert not list(plan.engine.parent.glob("*engine*"))
    monkeypatch.setattr(engine, "count_half_built", lambda *_: (38, 40))
    assert read_manifest(build_engine(plan)).half_layers["tensorrt engine"] == (38, 40)
    monkeypatch.setattr(engine, "count_half_built", lambda *_: None)
    assert "tensorrt engine" not in read_manifest(build_engine(plan)).half_layers
    assert "FP16 is not proved" in capsys.readouterr().err


def plan_of_tensorrt_10_3(home: Path, monkeypatch: pytest.MonkeyPatch) -> engine.Plan:
    """A weakly typed build on an Orin, up to the builder itself, which is not called."""

    class Builder:
        logger = None

        def build_serialized_network(self, network: object, config: object) -> bytes:
            return b"engine"

    library = SimpleNamespace(
        __name__="tensorrt", __version__="10.3.0", Builder=lambda logger: Builder()
    )
    dialect = dialect_of("tensorrt", "10.3.0")
    monkeypatch.setattr(engine, "find_builder", lambda name: (library, dialect, ORIN))
    for name in (
        "parse_graph",
        "fix_size",
        "error_collector",
        "progress_monitor",
        "_load_timing_cache",
    ):
        monkeypatch.setattr(engine, name, lambda *_: None)
    monkeypatch.setattr(engine, "configure", lambda *_: SimpleNamespace())
    return plan_engine(home / "exports" / "tiny" / "model.fp16.onnx")
