"""What each version of TensorRT is told, and what is made of its answers, by stand-ins."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runtime import engine, engine_network, engine_plan, engine_progress
from runtime.engine import build_engine
from runtime.engine_library import find_builder, load_library
from runtime.engine_network import configure, count_half_built
from runtime.engine_plan import plan_engine
from runtime.engine_versions import dialect_of
from runtime.errors import BackendError, ModelError
from runtime.gpu import Gpu, current_gpu
from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest

Command = Callable[..., tuple[int, str, str]]
RTX = "tensorrt-rtx"
needs_rtx = pytest.mark.skipif(
    load_library("tensorrt_rtx") is None, reason="TensorRT for RTX is not installed"
)
needs_no_gpu = pytest.mark.skipif(current_gpu() is not None, reason="this machine has a GPU")


ORIN = Gpu(name="Orin", compute_capability="8.7", driver="12.6", integrated=True)


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
    assert engine_plan._source_graph(fp16, read_manifest(fp16), old) == fp16.with_name("model.onnx")
    assert engine_plan._source_graph(fp16, read_manifest(fp16), new) == fp16
    fp16.with_name("model.onnx").unlink()
    with pytest.raises(ModelError, match="copy it there"):
        engine_plan._source_graph(fp16, read_manifest(fp16), old)


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
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of_tensorrt_10_3(home, monkeypatch)
    monkeypatch.setattr(engine, "count_half_built", lambda *_: (3, 40))
    with pytest.raises(ModelError, match="only 3 of 40 layers in its tensorrt engine are half"):
        build_engine(plan)
    assert not list(plan.engine.parent.glob("*engine*"))
    monkeypatch.setattr(engine, "count_half_built", lambda *_: None)
    with pytest.raises(ModelError, match=r"FP16 is not proved .* build .*model\.onnx instead"):
        build_engine(plan)
    assert not list(plan.engine.parent.glob("*engine*"))
    monkeypatch.setattr(engine, "count_half_built", lambda *_: (38, 40))
    assert read_manifest(build_engine(plan)).half_layers["tensorrt engine"] == (38, 40)


def test_a_builder_that_does_not_start_says_why_in_one_line(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of_tensorrt_10_3(home, monkeypatch)

    def started(state: Any) -> None:
        state.errors.append("Unsupported SM: 0x900\n")
        raise TypeError("pybind11::init(): factory function returned nullptr")

    monkeypatch.setattr(engine_progress, "error_collector", lambda _, state: state)
    monkeypatch.setattr(plan.trt, "Builder", started)
    with pytest.raises(BackendError, match=r"tensorrt 10\.3\.0 does not start .*0x900; .*doctor"):
        build_engine(plan)
    assert not list(plan.engine.parent.glob("*engine*"))


def plan_of_tensorrt_10_3(home: Path, monkeypatch: pytest.MonkeyPatch) -> engine_plan.Plan:
    """A weakly typed build on an Orin, up to the builder itself, which is not called."""

    class Builder:
        logger = None

        def build_serialized_network(self, network: object, config: object) -> bytes:
            return b"engine"

    library = SimpleNamespace(
        __name__="tensorrt", __version__="10.3.0", Builder=lambda logger: Builder()
    )
    dialect = dialect_of("tensorrt", "10.3.0")
    monkeypatch.setattr(engine_plan, "find_builder", lambda name: (library, dialect, ORIN))
    for name in ("parse_graph", "fix_size", "progress_monitor", "cache_path"):
        monkeypatch.setattr(engine, name, lambda *_: None)
    monkeypatch.setattr(engine, "configure", lambda *_: SimpleNamespace())
    monkeypatch.setattr(engine_progress, "error_collector", lambda *_: None)
    return plan_engine(home / "exports" / "tiny" / "model.fp16.onnx")
