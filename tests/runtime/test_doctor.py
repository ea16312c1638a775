"""The doctor as people call it."""

from __future__ import annotations

import dataclasses
import json
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from runtime import doctor, doctor_probe, engine_library
from runtime.backends import BACKENDS
from runtime.certificate import certificate_path, write_certificate
from runtime.doctor_findings import Finding, as_lines, passed
from runtime.doctor_model import find_backends, find_certificate, find_engine, find_golden
from runtime.doctor_probe import probe
from runtime.golden import write_golden
from runtime.manifest_file import manifest_path, read_manifest
from tests.runtime.certificates import certificate_of
from tests.runtime.conftest import Command
from tests.runtime.engines import binding, write_engine
from tests.runtime.fake_cuda import ORIN, FakeCuda, fake_tensorrt
from tests.runtime.models import graph, manifest_of, write_model
from tests.runtime.test_golden import golden_of


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model with golden frames."""
    path = write_model(tmp_path / "model.onnx", manifest=manifest_of(precision="int8"))
    write_golden(golden_of(), path)
    return path


def test_a_working_machine_is_described_in_about_twenty_lines(
    flood_runtime: Command, model: Path
) -> None:
    done = flood_runtime("doctor", "--model", model)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    lines = done.stdout.splitlines()
    assert 14 <= len(lines) <= 22
    topics = [line.split()[1] for line in lines]
    for topic in ("device", "system", "gpu", "opencv", "cameras", "disk", "clock", "model"):
        assert topic in topics
    assert [topic for topic in topics if topic in BACKENDS] == [
        name for name, entry in BACKENDS.items() if entry.automatic
    ]
    assert re.search(r"ok    onnxruntime +runs on onnxruntime \(CPU\), [\d.]+ ms", done.stdout)
    assert re.search(r"default run +runs on .*; golden frames right \(", lines[-1])


def test_json_is_the_same_for_machines(flood_runtime: Command, model: Path) -> None:
    done = flood_runtime("doctor", "--model", model, "--json")
    report = json.loads(done.stdout)
    assert report["ok"] is True
    assert {"topic", "level", "text"} == set(report["findings"][0])
    assert report["findings"][-1]["topic"] == "default run"


def test_without_a_model_the_one_that_ships_is_examined(flood_runtime: Command) -> None:
    done = flood_runtime("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"model +.*model\.int8\.onnx: vgg19unet-bn x0\.\d+, .*int8", done.stdout)


def test_a_changed_model_fails_and_the_machine_is_described_all_the_same(
    flood_runtime: Command, model: Path
) -> None:
    model.write_bytes(model.read_bytes() + b"\0")
    done = flood_runtime("doctor", "--model", model, "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["ok"]) == (1, False)
    levels = {finding["topic"]: finding["level"] for finding in report["findings"]}
    assert levels["model"] == "fail"
    assert levels["device"] == "ok"


def test_a_model_that_answers_wrongly_fails(flood_runtime: Command, model: Path) -> None:
    golden = golden_of()
    write_golden(dataclasses.replace(golden, masks=~golden.masks), model)
    done = flood_runtime("doctor", "--model", model)
    assert done.returncode == 1
    assert re.search(r"FAIL  default run +100\.0% of a golden frame's mask differ", done.stdout)
    assert re.search(r"note  onnxruntime +100\.0% of a golden", done.stdout)


def test_a_model_that_no_backend_loads_fails(flood_runtime: Command, tmp_path: Path) -> None:
    path = write_model(tmp_path / "model.onnx", graph(input_name="image"))
    done = flood_runtime("doctor", "--model", path)
    assert done.returncode == 1
    assert re.search(r"FAIL  default run +.*does not fit its manifest", done.stdout)
    assert "Traceback" not in done.stdout + done.stderr


def self_tested(model: Path) -> Finding:
    """What the self-test says in the end, asked in this process, where time can be set."""
    return list(doctor._self_test(model))[-1]


@pytest.mark.parametrize(("enough_s", "asked"), [(600.0, 8), (0.0, 1)])
def test_the_self_test_asks_golden_frames_while_there_is_time_and_at_least_one(
    model: Path, monkeypatch: pytest.MonkeyPatch, enough_s: float, asked: int
) -> None:
    monkeypatch.setattr(doctor, "ENOUGH_S", enough_s)
    wanted = rf"{asked} of 8 golden frames right on .*, 0\.00% flipped at most, [\d.]+ s"
    assert re.fullmatch(wanted, self_tested(model).text)


def test_the_self_test_passes_as_people_call_it(flood_runtime: Command, model: Path) -> None:
    done = flood_runtime("doctor", "--model", model, "--self-test", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "golden frames right on" in json.loads(done.stdout)["findings"][-1]["text"]


def test_the_self_test_fails_when_a_mask_is_wrong(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "ENOUGH_S", 600.0)
    golden = golden_of()
    golden.masks[-1] = ~golden.masks[-1]  # the last one: loading asks only the first
    write_golden(golden, model)
    finding = self_tested(model)
    assert finding.level == "fail"
    assert re.search(r"100\.0% of a golden frame's mask differ", finding.text)


def test_the_self_test_fails_without_golden_frames(
    flood_runtime: Command, tiny_model: Path
) -> None:
    done = flood_runtime("doctor", "--model", tiny_model, "--self-test")
    assert done.returncode == 1
    assert re.search(r"FAIL  self-test +no .*model\.onnx\.golden\.npz; export", done.stdout)


def test_certificates_are_shown_only_for_this_very_file(model: Path) -> None:
    manifest = read_manifest(model)
    path = certificate_path(model)
    assert "make one with: python -m export.verify" in find_certificate(model, manifest).text
    write_certificate(certificate_of(artefact_sha256="1" * 64), path)
    assert "is of another file" in find_certificate(model, manifest).text
    path.write_text("{")
    assert "is damaged" in find_certificate(model, manifest).text
    write_certificate(certificate_of(artefact_sha256=manifest.artefact_sha256), path)
    found = find_certificate(model, manifest)
    assert (found.level, found.text) == ("ok", "model.onnx.parity.json matches the model: all well")


def test_golden_frames_are_counted_and_foreign_ones_fail(model: Path) -> None:
    assert find_golden(model, read_manifest(model)).text.startswith("8 in model.onnx.golden.npz")
    write_golden(dataclasses.replace(golden_of(), checkpoint_sha256="1" * 64), model)
    assert find_golden(model, read_manifest(model)).level == "fail"


def answer(**changes: Any) -> dict[str, Any]:
    return {"name": "x", "ms": 1.25, "flipped": 0.001, **changes}


def misses(target: Path, name: str) -> dict[str, Any]:
    """A probe that finds no backend at all."""
    return {"error": f"no {name}"}


def give_libraries(monkeypatch: pytest.MonkeyPatch, **versions: str | None) -> None:
    """These libraries and versions are installed, others not."""
    for name in engine_library.LIBRARIES.values():
        version = versions.get(name)
        module = fake_tensorrt(FakeCuda(), name, version) if version else None
        monkeypatch.setitem(sys.modules, name, module)


def test_engines_that_fit_are_tried_and_foreign_ones_are_told(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_library, "current_gpu", lambda: ORIN)
    give_libraries(monkeypatch, tensorrt="10.3.0")
    found, engine = find_engine(model, ORIN)
    assert (found.level, engine) == ("note", None)
    assert found.text.endswith(f"flood-runtime build {model}")
    path = model.with_name("a.engine")
    write_engine(path, manifest_of(engine=binding(gpu="Thor")))
    found, engine = find_engine(model, ORIN)
    assert (found.level, engine) == ("note", None)
    assert "was built for GPU Thor, here it is Orin" in found.text
    assert find_engine(path, ORIN)[0].level == "fail"  # the engine itself would be run
    tried = {finding.topic: finding.text for finding in find_backends(model, None, misses)}
    assert tried["tensorrt"] == "not tried: no engine fits this machine"
    path.unlink()
    tried = {finding.topic: finding.text for finding in find_backends(model, None, misses)}
    assert tried["tensorrt"] == "not tried: there is no .engine file to run"
    write_engine(path)
    found, engine = find_engine(model, ORIN)
    assert (found.text, engine) == ("a.engine fits this machine", path)
    asked: list[tuple[str, str]] = []
    for finding in find_backends(
        model, engine, lambda target, name: asked.append((target.name, name)) or answer()
    ):
        assert "golden frames right (0.10% flipped)" in finding.text
    assert ("a.engine", "tensorrt") in asked
    assert ("model.onnx", "onnxruntime") in asked
    assert asked[-1] == ("model.onnx", "auto")


RTX = "tensorrt_rtx"


def test_each_engine_is_judged_by_the_library_that_built_it(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_libraries(monkeypatch, tensorrt="10.3.0", tensorrt_rtx="1.7.1")
    of_rtx = model.with_name("rtx.engine")
    write_engine(of_rtx, manifest_of(engine=binding(RTX, version="1.7.1")))
    found, engine = find_engine(model, ORIN)
    assert (found.level, found.text, engine) == ("ok", "rtx.engine fits this machine", of_rtx)
    assert find_engine(of_rtx, ORIN)[0].level == "ok"
    write_engine(of_rtx, manifest_of(engine=binding(RTX, version="1.6.0")))
    of_tensorrt = model.with_name("tensorrt.engine")
    write_engine(of_tensorrt)
    assert find_engine(model, ORIN)[1] == of_tensorrt
    assert "was built for tensorrt_rtx 1.6.0, here it is 1.7.1" in find_engine(of_rtx, ORIN)[0].text


def test_an_engine_whose_library_is_missing_is_told_what_it_needs(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = model.with_name("rtx.engine")
    write_engine(path, manifest_of(engine=binding(RTX, version="1.7.1")))
    give_libraries(monkeypatch, tensorrt="10.3.0")
    found, engine = find_engine(model, ORIN)
    assert (found.level, engine) == ("note", None)
    assert "built for the library tensorrt_rtx, here it is tensorrt; rebuild it" in found.text
    give_libraries(monkeypatch)
    assert "pip install 'flood-runtime[tensorrt-rtx]'" in find_engine(model, ORIN)[0].text
    assert find_engine(path, ORIN)[0].level == "fail"
    assert "needs an NVIDIA GPU" in find_engine(path, None)[0].text
    path.unlink()
    found, _ = find_engine(model, ORIN)
    assert (found.level, found.text.split(",")[0]) == ("ok", "none")


def test_an_engine_of_another_driver_is_tried_and_told(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_libraries(monkeypatch, tensorrt="10.3.0")
    path = model.with_name("a.engine")
    write_engine(path, manifest_of(engine=binding(driver_version="540.3.0")))
    found, engine = find_engine(model, dataclasses.replace(ORIN, driver_version="540.4.0"))
    assert (found.level, engine) == ("note", path)
    assert "built under driver 540.3.0, here it is 540.4.0; it runs" in found.text


def test_a_backend_that_fails_is_a_note_and_the_default_run_a_failure(model: Path) -> None:
    findings = list(find_backends(model, None, misses))
    levels = {finding.topic: finding.level for finding in findings}
    assert levels["onnxruntime"] == "note"
    assert levels["default run"] == "fail"
    assert not passed(findings)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (f"import os; os.kill(os.getpid(), {int(signal.SIGILL)})", "crashed with SIGILL"),
        ("raise SystemExit('no such instruction')", "exit code 1: no such instruction"),
        ("import time; time.sleep(60)", "no answer within 1 s"),
    ],
)
def test_a_library_that_crashes_or_hangs_does_not_take_the_doctor_with_it(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, said: str
) -> None:
    launcher = tmp_path / "python"
    launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{program}"\n')
    launcher.chmod(0o755)
    monkeypatch.setattr(doctor_probe.sys, "executable", str(launcher))
    assert said in probe(model, "onnxruntime", timeout_s=1)["error"]


def test_a_finding_is_one_line_whatever_a_library_said() -> None:
    lines = as_lines([Finding("a", "ok", "one\n  two"), Finding("longer", "fail", "three")])
    assert lines == ["ok    a       one two", "FAIL  longer  three"]


def test_a_manifest_that_is_missing_fails(flood_runtime: Command, model: Path) -> None:
    manifest_path(model).unlink()
    done = flood_runtime("doctor", "--model", model)
    assert done.returncode == 1
    assert re.search(r"FAIL  model +.*has no manifest; wanted", done.stdout)
