from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from runtime.engine_binding import bind, check_binding, driver_remark, engine_name, graph_of
from runtime.errors import ModelError
from runtime.files import sha256
from runtime.gpu import Gpu, current_gpu
from runtime.manifest import SCHEMA, Manifest
from runtime.manifest_file import manifest_path, read_manifest, write_manifest
from runtime.manifest_parts import Provenance, TrainedOn

ORIN = Gpu(name="Orin (nvgpu)", compute_capability="8.7", driver="12.6", integrated=True)


def manifest(graph: Path, gpu: Gpu | None = ORIN) -> Manifest:
    return Manifest(
        schema=SCHEMA, model="vgg19unet", width=1.0, input_size=(32, 32), batch=1,
        resize="linear", colour_order="RGB", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5),
        threshold=0.5, class_names=("dry", "water"), precision="fp16",
        trained_on=TrainedOn(dataset="d", fingerprint="0" * 64, split="s", scores={}),
        provenance=Provenance(checkpoint_sha256="0" * 64, tools={}), artefact_sha256="0" * 64,
        engine=bind("tensorrt", "10.3.0", gpu, sha256(graph.with_name("model.onnx"))),
    )  # fmt: skip


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """The FP16 graph, with the FP32 graph beside it, from which 10.3 builds its FP16 engines."""
    path = tmp_path / "model.fp16.onnx"
    path.write_bytes(b"half graph")
    (tmp_path / "model.onnx").write_bytes(b"graph")
    return path


def check(graph: Path, built: Manifest, version: str = "10.3.0", gpu: Gpu | None = ORIN) -> None:
    check_binding(graph.with_name("model.engine"), built, "tensorrt", version, gpu)


def test_the_name_carries_what_the_engine_is_bound_to(graph: Path) -> None:
    binding = bind("tensorrt", "10.3.0", ORIN, "1a2b3c4d" * 8)
    name = engine_name(graph, manifest(graph), binding)
    assert name == "model.fp16.tensorrt-10.3.0.orin-nvgpu.sm87.driver-12.6.1a2b3c4d.engine"
    for version, part in (("580.65.06", "580.65.06"), ("L4T 36.4.3", "l4t-36.4.3")):
        gpu = dataclasses.replace(ORIN, driver_version=version)
        binding = bind("tensorrt", "10.3.0", gpu, "1a2b3c4d" * 8)
        assert f".sm87.driver-{part}.1a2b3c4d." in engine_name(graph, manifest(graph), binding)


def test_at_home_an_engine_is_accepted(graph: Path) -> None:
    check(graph, manifest(graph))


@pytest.mark.parametrize(
    ("version", "gpu", "told"),
    [
        ("10.16.2", ORIN, "built for tensorrt 10.3.0, here it is 10.16.2"),
        ("10.3.0", dataclasses.replace(ORIN, name="Thor"), "GPU Orin .nvgpu., here it is Thor"),
        (
            "10.3.0",
            dataclasses.replace(ORIN, compute_capability="11.0"),
            "compute capability 8.7, here it is 11.0",
        ),
        ("10.3.0", dataclasses.replace(ORIN, driver="12.2"), "least CUDA 12.6, here it is 12.2"),
        ("10.3.0", None, "here it is none"),
    ],
)
def test_abroad_one_line_says_what_differs_and_how_to_rebuild(
    graph: Path, version: str, gpu: Gpu | None, told: str
) -> None:
    with pytest.raises(ModelError, match=told) as caught:
        check(graph, manifest(graph), version, gpu)
    assert f"flood-runtime build {graph}" in str(caught.value)


def test_another_release_of_the_driver_is_told_and_not_refused(graph: Path) -> None:
    here = dataclasses.replace(ORIN, driver_version="580.82.07")
    built = manifest(graph, dataclasses.replace(ORIN, driver_version="580.65.06"))
    check(graph, built, gpu=here)
    engine = graph.with_name("model.engine")
    told = driver_remark(engine, built, here)
    assert told is not None and "\n" not in told
    assert told.startswith("model.engine was built under driver 580.65.06, here it is 580.82.07; ")
    assert told.endswith(f"rebuild it with: flood-runtime build {graph}")


@pytest.mark.parametrize(
    ("built_under", "here"),
    [(None, "580.82.07"), ("580.82.07", None), (None, None), ("580.82.07", "580.82.07")],
)
def test_a_driver_that_is_the_same_or_not_known_is_no_matter(
    graph: Path, built_under: str | None, here: str | None
) -> None:
    built = manifest(graph, dataclasses.replace(ORIN, driver_version=built_under))
    gpu = dataclasses.replace(ORIN, driver_version=here)
    check(graph, built, gpu=gpu)
    assert driver_remark(graph.with_name("model.engine"), built, gpu) is None


def test_a_manifest_from_before_driver_versions_is_still_judged(graph: Path) -> None:
    engine = graph.with_name("model.engine")
    engine.write_bytes(b"engine")
    write_manifest(manifest(graph), engine)
    path = manifest_path(engine)
    content = json.loads(path.read_text())
    del content["engine"]["driver_version"]
    path.write_text(json.dumps(content))
    here = dataclasses.replace(ORIN, driver_version="580.82.07")
    check(graph, read_manifest(engine), gpu=here)
    assert driver_remark(engine, read_manifest(engine), here) is None
    newer = dataclasses.replace(here, driver="13.2")
    check(graph, read_manifest(engine), gpu=newer)
    told = driver_remark(engine, read_manifest(engine), newer)
    assert told is not None and "under driver for CUDA 12.6, here it is for CUDA 13.2; it" in told
    with pytest.raises(ModelError, match=r"at least CUDA 12\.6, here it is 12\.2; rebuild it"):
        check(graph, read_manifest(engine), gpu=dataclasses.replace(here, driver="12.2"))


def test_an_engine_of_another_library_is_told_so(graph: Path) -> None:
    with pytest.raises(ModelError, match="for the library tensorrt, here it is tensorrt_rtx"):
        check_binding(graph, manifest(graph), "tensorrt_rtx", "1.7.1", ORIN)


@pytest.mark.parametrize(
    ("name", "library", "command"),
    [
        ("model.fp16.x.engine", "tensorrt", "build {graph}"),
        ("model-32x48.fp16.x.engine", "tensorrt", "build {graph} --size 32x48"),
        ("model.fp16.x.engine", "tensorrt_rtx", "build {graph} --builder tensorrt-rtx"),
        (
            "model-32x48.fp16.x.engine",
            "tensorrt_rtx",
            "build {graph} --size 32x48 --builder tensorrt-rtx",
        ),
    ],
)
def test_the_command_builds_the_same_size_with_the_library_that_is_here(
    graph: Path, name: str, library: str, command: str
) -> None:
    binding = bind(library, "1.2.0" if library == "tensorrt_rtx" else "10.3.0", ORIN, "0" * 64)
    built = dataclasses.replace(manifest(graph), engine=binding, input_size=(32, 48))
    with pytest.raises(ModelError) as caught:
        check_binding(graph.with_name(name), built, library, "99.1", ORIN)
    told = command.format(graph=graph)
    assert str(caught.value).endswith(f"; rebuild it with: flood-runtime {told}")


def test_a_changed_graph_makes_its_engine_stale(graph: Path) -> None:
    built = manifest(graph)
    source = graph.with_name("model.onnx")
    source.write_bytes(b"another graph")
    with pytest.raises(ModelError, match="built for source graph") as caught:
        check(graph, built)
    assert f"flood-runtime build {graph}" in str(caught.value), "the graph that names its precision"
    source.unlink()
    check(graph, built)


def test_from_10_12_on_the_fp16_graph_is_what_counts(graph: Path) -> None:
    binding = bind("tensorrt", "10.16.2", ORIN, sha256(graph))
    built = dataclasses.replace(manifest(graph), engine=binding)
    check(graph, built, "10.16.2")
    graph.write_bytes(b"another graph")
    with pytest.raises(ModelError, match="built for source graph"):
        check(graph, built, "10.16.2")


def test_a_graph_of_any_size_has_an_engine_for_each(graph: Path) -> None:
    built = dataclasses.replace(manifest(graph), dynamic_size=True, input_size=(384, 640))
    assert built.engine is not None
    name = engine_name(graph, built, built.engine)
    assert name.startswith("model-384x640.fp16.tensorrt-10.3.0.")
    assert graph_of(graph.with_name(name), "fp16") == graph


def test_an_engine_built_ahead_of_time_runs_on_any_gpu_of_its_library(graph: Path) -> None:
    check(graph, manifest(graph, gpu=None))
    with pytest.raises(ModelError, match=r"here it is 1\.8"):
        check(graph, manifest(graph, gpu=None), "1.8")


def test_a_graphs_manifest_binds_nothing(graph: Path) -> None:
    plain = dataclasses.replace(manifest(graph), engine=None)
    with pytest.raises(ModelError, match="no binding in its manifest"):
        check(graph, plain)


def test_asking_for_the_gpu_answers_on_every_machine() -> None:
    gpu = current_gpu()
    assert gpu is None or (gpu.name and float(gpu.compute_capability) > 3 and float(gpu.driver) > 9)
