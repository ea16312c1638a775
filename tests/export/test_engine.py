"""Engines from real exported graphs, with the real parser and builder of TensorRT for RTX."""

from __future__ import annotations

import dataclasses
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from torch import nn

from export import __main__ as main
from export.graph import ExportedNetwork, to_bytes, trace
from runtime import cli, engine, engine_library, engine_renewal
from runtime.certificate import certificate_line, certificate_path
from runtime.engine import build_engine
from runtime.engine_library import load_library
from runtime.engine_plan import plan_engine
from runtime.engine_renewal import fitting_engine
from runtime.errors import BackendError, ManifestError, ModelError, SinkError
from runtime.files import sha256
from runtime.golden import golden_path, read_golden
from runtime.gpu import Gpu, current_gpu
from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest, write_manifest

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
@pytest.mark.usefixtures("no_room_for_manifests")
def test_a_disk_that_fills_up_before_the_manifest_leaves_no_engine(home: Path) -> None:
    graph = home / "exports" / "tiny" / "model.onnx"
    with pytest.raises(SinkError, match=r"cannot write .*No space left on device"):
        build_engine(plan_engine(graph, RTX))
    assert not list(graph.parent.glob("*.engine*"))
    assert not list(graph.parent.glob(".*"))


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
    assert "" not in err.splitlines(), "where stderr is no terminal there is no bar"


@needs_rtx
def test_export_builds_engines_when_told_to(
    command: Command, home: Path, photographs: Path
) -> None:
    arguments = ("--engine", RTX, "--data", photographs, "--out", home / "out")
    code, _, err = command(main.app, home / "runs/tiny/best.safetensors", *arguments)
    assert code == 0, err
    (engine,) = (home / "out").glob("*.engine")
    assert certificate_path(engine).is_file()


def test_a_builder_that_is_not_there_is_refused_before_anything_is_exported(
    command: Command, home: Path, photographs: Path
) -> None:
    arguments = ("--engine", "foo", "--data", photographs, "--out", home / "out")
    code, _, err = command(main.app, home / "runs/tiny/best.safetensors", *arguments)
    assert (code, err.count("\n")) == (1, 1)
    assert "no builder 'foo'; choose from: auto, tensorrt, tensorrt-rtx" in err
    assert not (home / "out").exists()


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


@needs_rtx
@needs_no_gpu
def test_an_engine_built_ahead_of_time_has_a_certificate_that_claims_nothing(
    command: Command, home: Path
) -> None:
    graph = home / "exports" / "tiny" / "model.fp16.onnx"
    code, out, err = command(cli.app, "build", graph, "--builder", RTX)
    assert code == 0, err
    built = Path(out.strip())
    certificate = json.loads(certificate_path(built).read_text())
    assert certificate["passed"] is None
    assert certificate["parity"] == certificate["limits"] == {}
    assert certificate["artefact_sha256"] == certificate["engine_sha256"] == sha256(built)
    assert certificate["graph_sha256"] == sha256(graph)
    told = certificate_line(built, read_manifest(built))
    assert told in err.splitlines()
    assert "parity: not proved: " in told and "where no NVIDIA GPU is, and not run)" in told
    assert told.endswith(f"flood-runtime doctor --self-test --model {built}")


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
def test_a_graph_that_is_not_what_its_manifest_says_leaves_nothing(
    command: Command, home: Path
) -> None:
    graph = home / "exports" / "tiny" / "model.onnx"
    golden_path(graph).unlink()  # it would be refused first
    manifest, content = read_manifest(graph), graph.read_bytes()
    renamed = onnx.load_from_string(content)
    renamed.graph.input[0].name = renamed.graph.node[0].input[0] = "picture"
    for damaged, size, told in (
        (b"", manifest.input_size, "it takes nothing and gives nothing, wanted input uint8"),
        (content, (48, 48), "it takes input uint8 (1, 32, 48, 3) and gives"),
        (renamed.SerializeToString(), manifest.input_size, "it takes picture uint8"),
    ):
        graph.write_bytes(damaged)
        write_manifest(dataclasses.replace(manifest, input_size=size), graph)
        code, out, err = command(cli.app, "build", graph, "--builder", RTX)
        line = err.splitlines()[-1]
        assert (code, out) == (1, "")
        assert line.startswith("error: ") and told in line
    assert not list(graph.parent.glob("*engine*"))


@needs_rtx
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_leave_nothing_half_written(
    home: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    states, before = [], signal.getsignal(signal.SIGTERM)

    class Interrupted:
        def result(self, timeout: float) -> None:
            signal.raise_signal(number)
            raise engine.NotYet

    class Pool(engine.ThreadPoolExecutor):
        def submit(self, *arguments: Any) -> Any:  # type: ignore[override]
            states.append(arguments)
            return Interrupted()

    monkeypatch.setattr(engine, "ThreadPoolExecutor", Pool)
    with pytest.raises(KeyboardInterrupt):
        build_engine(plan_engine(home / "exports/tiny/model.onnx", RTX))
    assert states
    assert signal.getsignal(signal.SIGTERM) is before
    assert not list((home / "exports/tiny").glob("*engine*"))
