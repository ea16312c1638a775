from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from runtime.engine_binding import bind, check_binding, engine_name
from runtime.errors import ModelError
from runtime.files import sha256
from runtime.gpu import Gpu, current_gpu
from runtime.manifest import SCHEMA, Manifest, Provenance, TrainedOn

ORIN = Gpu(name="Orin (nvgpu)", compute_capability="8.7", driver="12.6", integrated=True)


def manifest(graph: Path, gpu: Gpu | None = ORIN) -> Manifest:
    return Manifest(
        schema=SCHEMA, model="vgg19unet", width=1.0, input_size=(32, 32), batch=1,
        resize="linear", colour_order="RGB", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5),
        threshold=0.5, class_names=("dry", "water"), precision="fp16",
        trained_on=TrainedOn(dataset="d", fingerprint="0" * 64, split="s", scores={}),
        provenance=Provenance(checkpoint_sha256="0" * 64, tools={}), artefact_sha256="0" * 64,
        engine=bind("tensorrt", "10.3.0", gpu, sha256(graph)),
    )  # fmt: skip


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    path = tmp_path / "model.fp16.onnx"
    path.write_bytes(b"graph")
    return path


def test_the_name_carries_what_the_engine_is_bound_to(graph: Path) -> None:
    binding = bind("tensorrt", "10.3.0", ORIN, "1a2b3c4d" * 8)
    name = engine_name(graph, "fp16", binding)
    assert name == "model.fp16.tensorrt-10.3.0.orin-nvgpu.sm87.driver12.6.1a2b3c4d.engine"


def test_at_home_an_engine_is_accepted(graph: Path) -> None:
    check_binding(Path("e.engine"), manifest(graph), "10.3.0", ORIN, graph)


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
        ("10.3.0", dataclasses.replace(ORIN, driver="13.2"), "driver 12.6, here it is 13.2"),
        ("10.3.0", None, "here it is none"),
    ],
)
def test_abroad_one_line_says_what_differs_and_how_to_rebuild(
    graph: Path, version: str, gpu: Gpu | None, told: str
) -> None:
    with pytest.raises(ModelError, match=told) as caught:
        check_binding(Path("e.engine"), manifest(graph), version, gpu, graph)
    assert f"flood-runtime build {graph}" in str(caught.value)


def test_a_changed_graph_makes_its_engine_stale(graph: Path) -> None:
    built = manifest(graph)
    graph.write_bytes(b"another graph")
    with pytest.raises(ModelError, match="built for source graph"):
        check_binding(Path("e.engine"), built, "10.3.0", ORIN, graph)
    check_binding(Path("e.engine"), built, "10.3.0", ORIN, None)


def test_an_engine_built_ahead_of_time_runs_on_any_gpu_of_its_library(graph: Path) -> None:
    check_binding(Path("e.engine"), manifest(graph, gpu=None), "10.3.0", ORIN, graph)
    with pytest.raises(ModelError, match=r"here it is 1\.8"):
        check_binding(Path("e.engine"), manifest(graph, gpu=None), "1.8", ORIN, graph)


def test_a_graphs_manifest_binds_nothing(graph: Path) -> None:
    plain = dataclasses.replace(manifest(graph), engine=None)
    with pytest.raises(ModelError, match="no binding in its manifest"):
        check_binding(Path("e.engine"), plain, "10.3.0", ORIN, graph)


def test_asking_for_the_gpu_answers_on_every_machine() -> None:
    gpu = current_gpu()
    assert gpu is None or (gpu.name and float(gpu.compute_capability) > 3 and float(gpu.driver) > 9)
