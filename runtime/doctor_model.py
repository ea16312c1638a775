"""What the doctor sees of the model: its contract, its proofs, and every backend tried on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from runtime.backends import BACKENDS, missing_library, no_gpu
from runtime.certificate import certificate_path, read_certificate
from runtime.doctor_findings import Finding
from runtime.doctor_probe import probe
from runtime.engine_binding import binding_of, check_binding, driver_remark
from runtime.engine_library import find_builder, library_of
from runtime.errors import BackendError, FloodError
from runtime.golden import golden_path, read_golden
from runtime.gpu import Gpu
from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest

Probe = Callable[[Path, str], dict[str, Any]]


def describe_model(artefact: Path, manifest: Manifest) -> Finding:
    """Which model this is and what it was trained on."""
    height, width = manifest.input_size
    data = manifest.trained_on
    scores = ", ".join(f"{name} {value:.3f}" for name, value in list(data.scores.items())[:2])
    return Finding(
        "model",
        "ok",
        f"{artefact}: {manifest.model} x{manifest.width:g}, {height}x{width}, "
        f"{manifest.precision}, trained on {data.dataset} ({scores or 'no scores'})",
    )


def find_certificate(artefact: Path, manifest: Manifest) -> Finding:
    """Whether a parity certificate lies beside the artefact and speaks of this very file."""
    name = certificate_path(artefact).name
    try:
        certificate = read_certificate(artefact, manifest)
    except FloodError as error:
        return Finding("certificate", "note", str(error))
    if certificate is None:
        advice = f"python -m export.verify {artefact}"
        return Finding("certificate", "note", f"no {name}; make one with: {advice}")
    return Finding("certificate", "ok", f"{name} matches the model: {certificate.summary}")


def find_golden(artefact: Path, manifest: Manifest) -> Finding:
    """Whether golden frames of this model are there to ask."""
    try:
        golden = read_golden(artefact, manifest)
    except FloodError as error:
        return Finding("golden frames", "fail", str(error))
    if golden is None:
        return Finding(
            "golden frames", "note", f"no {golden_path(artefact).name}; export the model anew"
        )
    return Finding("golden frames", "ok", f"{len(golden.frames)} in {golden_path(artefact).name}")


def engines_of(artefact: Path) -> list[Path]:
    """The artefact itself where it is an engine, else the engines in its folder, newest first."""
    if artefact.suffix == ".engine":
        return [artefact]
    found = artefact.parent.glob("*.engine")
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def find_engine(artefact: Path, gpu: Gpu | None) -> tuple[Finding, Path | None]:
    """Whether an engine fits this machine, and the first that does.

    A misfit is a failure only where the engine itself is the model that would run.
    """
    engines = engines_of(artefact)
    misfits = []
    for engine in engines:
        try:
            remark = _fit(engine, gpu)
        except FloodError as error:
            misfits.append(str(error))
            continue
        text = remark or f"{engine.name} fits this machine"
        return Finding("engine", "note" if remark else "ok", text), engine
    if misfits:
        return Finding("engine", "fail" if artefact in engines else "note", misfits[0]), None
    try:
        find_builder()
    except BackendError:
        text = "none, and none can be built here; other backends need none"
        return Finding("engine", "ok", text), None
    advice = f"none yet; build one with: flood-runtime build {artefact}"
    return Finding("engine", "note", advice), None


def _fit(engine: Path, gpu: Gpu | None) -> str | None:
    """What there is to say of an engine that this machine's own library can run. Raises FloodError
    for one that it cannot."""
    manifest = read_manifest(engine)
    bound = binding_of(engine, manifest)
    if gpu is None:
        raise no_gpu("tensorrt")
    found = library_of(bound)
    if found is None:
        raise missing_library("tensorrt", bound.library, bound.library.replace("_", "-"))
    _, trt = found
    check_binding(engine, manifest, trt.__name__, trt.__version__, gpu)
    return driver_remark(engine, manifest, gpu)


def find_backends(artefact: Path, engine: Path | None, try_one: Probe = probe) -> Iterator[Finding]:
    """Every backend, tried on the artefact (TensorRT on the engine), then what "auto" comes to."""
    for name, entry in BACKENDS.items():
        if not entry.automatic:
            continue
        target = artefact if artefact.suffix in entry.suffixes else None
        if name == "tensorrt":
            target = engine
        if target is None:
            lacks = f"there is no {entry.suffixes[0]} file to run"
            if name == "tensorrt" and engines_of(artefact):
                lacks = "no engine fits this machine"
            yield Finding(name, "ok", f"not tried: {lacks}")
        else:
            yield _judge(name, try_one(target, name), "note")
    yield _judge("default run", try_one(artefact, "auto"), "fail")


def _judge(name: str, result: dict[str, Any], otherwise: Literal["note", "fail"]) -> Finding:
    if "error" in result:
        return Finding(name, otherwise, str(result["error"]))
    text = f"runs on {result['name']}, {result['ms']:.1f} ms a frame"
    if result["flipped"] is None:
        return Finding(name, "ok", f"{text}; no golden frames to compare with")
    return Finding(name, "ok", f"{text}; golden frames right ({result['flipped']:.2%} flipped)")
