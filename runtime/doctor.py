"""`flood-runtime doctor`: the machine, the model and every backend in twenty lines."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.arguments import local_path

if TYPE_CHECKING:
    from runtime.doctor_findings import Finding

ENOUGH_S = 2.0
"""Seconds, loading included, after which a self-test asks no further golden frame."""


def doctor(
    model: Annotated[
        Path | None,
        typer.Option(
            parser=local_path,
            metavar="FILE",
            help="Model to try; default: what a run would take.",
        ),
    ] = None,
    self_test: Annotated[
        bool,
        typer.Option("--self-test", help="Only ask the golden frames again, on this device."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Say what works on this machine; exit 1 when a default run would fail."""
    from runtime.doctor_findings import as_lines, passed
    from runtime.errors import FloodError
    from runtime.redaction import redact_message
    from runtime.shipped import shipped_model

    try:
        artefact: Path | FloodError = model or shipped_model()
    except FloodError as error:
        artefact = error
    found = _self_test(artefact) if self_test else _examine(artefact)
    findings = [dataclasses.replace(each, text=redact_message(each.text)) for each in found]
    if as_json:
        content = [dataclasses.asdict(finding) for finding in findings]
        typer.echo(json.dumps({"ok": passed(findings), "findings": content}))
    else:
        typer.echo("\n".join(as_lines(findings)))
    if not passed(findings):
        raise typer.Exit(1)


def _examine(artefact: Path | Exception) -> Iterator[Finding]:
    from runtime import doctor_machine as machine
    from runtime.gpu import current_gpu

    root = Path("/")
    gpu = current_gpu()
    yield machine.find_device(root)
    yield machine.find_system(root)
    if (jetpack := machine.find_jetpack(root)) is not None:
        yield jetpack
    yield machine.find_gpu(gpu)
    yield machine.find_opencv()
    yield machine.find_cameras(root)
    yield machine.find_disk(Path.cwd())
    yield machine.find_clock(time.time(), machine.kernel_clock())
    yield from _examine_model(artefact)


def _examine_model(artefact: Path | Exception) -> Iterator[Finding]:
    from runtime import doctor_model as about
    from runtime.doctor_findings import Finding
    from runtime.errors import FloodError
    from runtime.gpu import current_gpu
    from runtime.manifest_file import read_manifest

    try:
        if isinstance(artefact, Exception):
            raise artefact
        manifest = read_manifest(artefact)
    except FloodError as error:
        yield Finding("model", "fail", str(error))
        yield Finding("backends", "note", "not tried, because there is no model to run")
        return
    yield about.describe_model(artefact, manifest)
    yield about.find_certificate(artefact, manifest)
    yield about.find_golden(artefact, manifest)
    fit, engine = about.find_engine(artefact, current_gpu())
    yield fit
    with _waiting("trying every backend"):
        yield from about.find_backends(artefact, engine)


def _self_test(artefact: Path | Exception) -> Iterator[Finding]:
    """The golden frames on the backend that a run would take, as many as there is time for."""
    from runtime.doctor_findings import Finding
    from runtime.errors import FloodError
    from runtime.golden import golden_path, golden_shares, read_golden
    from runtime.model import load_model

    start = time.perf_counter()
    try:
        if isinstance(artefact, Exception):
            raise artefact
        with load_model(artefact, rebuild=False) as model:
            for reason in model.remarks:
                yield Finding("backend", "ok", reason)
            golden = read_golden(artefact, model.manifest)
            if golden is None:
                path = golden_path(artefact)
                yield Finding("self-test", "fail", f"no {path}; export the model anew")
                return
            flipped = []
            for share in golden_shares(golden, model.manifest, model.infer):
                flipped.append(share)
                if time.perf_counter() - start > ENOUGH_S:
                    break
            name = model.backend.name
    except FloodError as error:
        yield Finding("self-test", "fail", str(error))
        return
    seconds = time.perf_counter() - start
    asked = f"{len(flipped)} of {len(golden.frames)} golden frames right on {name}"
    text = f"{asked}, {max(flipped):.2%} flipped at most"
    yield Finding("self-test", "ok", f"{text}, {seconds:.1f} s")


@contextlib.contextmanager
def _waiting(what: str) -> Iterator[None]:
    """A spinner on stderr; silent where that is no terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(f"{what} ..."):
        yield
