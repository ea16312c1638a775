"""The certificate that an engine gets at its build, where it can be run and where it cannot."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime import engine, engine_plan
from runtime.certificate import certificate_line, certificate_path, read_certificate
from runtime.doctor_model import find_certificate
from runtime.engine import build_engine
from runtime.engine_plan import Plan, plan_engine
from runtime.engine_versions import dialect_of
from runtime.errors import ManifestError, ModelError, ParityError
from runtime.files import sha256
from runtime.golden import golden_path, write_golden
from runtime.manifest_file import read_manifest
from tests.runtime.engines import cuda_stand_in
from tests.runtime.fake_cuda import ORIN, FakeCuda
from tests.runtime.models import SIZE, manifest_of, write_model
from tests.runtime.test_golden import golden_of

Planned = Callable[..., Plan]


@pytest.fixture
def cuda() -> Iterator[FakeCuda]:
    with cuda_stand_in() as cuda:
        yield cuda


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """An INT8 graph with golden frames."""
    path = tmp_path / "model.int8.tensorrt.onnx"
    write_model(path, manifest=manifest_of(precision="int8"))
    write_golden(golden_of(), path)
    return path


@pytest.fixture
def planned(cuda: FakeCuda, graph: Path, monkeypatch: pytest.MonkeyPatch) -> Planned:
    """A plan on an Orin whose builder gives an engine that does what it is told here."""

    def plan(**told: object) -> Plan:
        library = sys.modules["tensorrt"]
        found = library, dialect_of("tensorrt", "10.3.0"), ORIN
        monkeypatch.setattr(engine_plan, "find_builder", lambda name: found)
        content = json.dumps({"size": SIZE, **told}).encode()
        monkeypatch.setattr(engine, "_build", lambda plan, stop: (content, {}))
        return plan_engine(graph)

    return plan


def test_an_engine_that_runs_is_held_to_its_graph(
    planned: Planned, graph: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built = build_engine(planned())
    manifest = read_manifest(built)
    certificate = read_certificate(built, manifest)
    assert certificate is not None and certificate.passed
    assert certificate.reference == graph.name
    assert certificate.artefact_sha256 == certificate.engine_sha256 == sha256(built)
    assert certificate.graph_sha256 == sha256(graph)
    assert certificate.checkpoint_sha256 == manifest.provenance.checkpoint_sha256
    assert certificate.backend == "tensorrt 10.3.0"
    assert certificate.limits == {"most_flipped": 0.03}
    assert 0 <= certificate.parity["flipped"] <= certificate.parity["most_flipped"] <= 0.03
    assert len(certificate.frames.names) == 8 and len(certificate.frames.fingerprint) == 64
    assert "numpy" in certificate.tools and "cores" in certificate.device
    line = certificate_line(built, manifest)
    assert line.startswith(f"parity: int8 engine against {graph.name}: 0.")
    assert line in capsys.readouterr().err.splitlines()
    assert find_certificate(built, manifest).level == "ok"


def test_an_engine_with_a_fixed_batch_is_asked_as_well(planned: Planned, graph: Path) -> None:
    write_model(graph, manifest=dataclasses.replace(read_manifest(graph), batch=4))
    built = build_engine(planned(batch=4))
    certificate = read_certificate(built, read_manifest(built))
    assert certificate is not None and certificate.passed


def test_an_engine_that_gives_other_masks_is_not_kept(planned: Planned, graph: Path) -> None:
    golden = golden_of()
    golden.masks[-1] = ~golden.masks[-1]
    write_golden(golden, graph)
    with pytest.raises(ParityError, match=r"gives other masks than model.int8.tensorrt.onnx: .*0%"):
        build_engine(planned())
    assert not list(graph.parent.glob("*engine*"))


def test_an_engine_that_its_own_machine_cannot_load_is_not_kept(
    planned: Planned, graph: Path
) -> None:
    with pytest.raises(ModelError, match="does not run where it was built, so it is not kept: "):
        build_engine(planned(names=["image", "logits"]))
    assert not list(graph.parent.glob("*engine*"))


def test_a_device_without_memory_left_claims_nothing(
    planned: Planned, cuda: FakeCuda, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = planned()
    cuda.memory_left = 0
    built = build_engine(plan)
    certificate = json.loads(certificate_path(built).read_text())
    assert (certificate["passed"], certificate["parity"]) == (None, {})
    assert "it was not run where it was built: CUDA failed in cudaMalloc" in certificate["summary"]
    assert "parity: not proved: " in capsys.readouterr().err.splitlines()[-1]


def test_without_golden_frames_nothing_is_claimed(planned: Planned, graph: Path) -> None:
    golden_path(graph).unlink()
    built = build_engine(planned())
    with pytest.raises(ManifestError, match=r"claims nothing .it was not run: .* no golden fr"):
        read_certificate(built, read_manifest(built))


def test_damaged_golden_frames_end_the_build_before_it_begins(
    planned: Planned, graph: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planned()
    golden_path(graph).write_bytes(b"PK")
    monkeypatch.setattr(engine, "_build", lambda plan, stop: pytest.fail("was built"))
    with pytest.raises(ManifestError, match=r"golden.npz is damaged"):
        build_engine(plan)
    assert not list(graph.parent.glob("*engine*"))


def test_a_certificate_of_another_engine_is_refused(planned: Planned) -> None:
    built = build_engine(planned())
    path = certificate_path(built)
    path.write_text(path.read_text().replace(sha256(built), "1" * 64))
    manifest = read_manifest(built)
    with pytest.raises(ManifestError, match="is of another file"):
        read_certificate(built, manifest)
    assert certificate_line(built, manifest).startswith("parity: not proved: ")
    assert find_certificate(built, manifest).level == "note"
