"""Measures an artefact and writes what came of it: a certificate, or the evidence against it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from export.heatmaps import write_heatmaps
from export.parity import ADVICE, Parity, at_least_a_pixel, check, numbers
from export.proof import Proof
from runtime.certificate import (
    SCHEMA,
    Certificate,
    Frames,
    certificate_path,
    write_certificate,
)
from runtime.errors import ParityError
from runtime.files import sha256
from runtime.manifest import Manifest
from runtime.measuring import describe_device, measuring_tools


@dataclass(frozen=True)
class Verdict:
    """A certificate, and what is wrong where a limit is broken."""

    certificate: Certificate
    error: ParityError | None


def certify(
    path: Path, file: Path, manifest: Manifest, proof: Proof, limits: Mapping[str, float]
) -> Verdict:
    """Holds an artefact to its limits and writes heat maps of its worst frames.

    path: what the artefact is called; file: where its content is now. A broken limit leaves a
    folder `<artefact>.failed` with the numbers and pictures; passing leaves `<artefact>.parity`
    with the pictures, and the certificate to be written by `grant`. Raises SinkError, BackendError
    or ModelError.
    """
    frames = proof.frames
    limits = at_least_a_pixel(limits, len(frames.inputs), manifest.input_size)
    candidate, backend = proof.run(file, manifest)
    parity = proof.compare(candidate)
    elsewhere = {
        other.manifest.input_size: other.compare(other.run(file, manifest)[0])
        for other in proof.elsewhere
    }
    error = _broken(path, parity, elsewhere, limits)
    passed = error is None
    folder = _fresh(path.with_name(f"{path.name}.{'parity' if passed else 'failed'}"))
    certificate = Certificate(
        schema=SCHEMA,
        summary=summarise(manifest.precision, parity, frames.origin),
        passed=passed,
        precision=manifest.precision,
        artefact_sha256=sha256(file),
        checkpoint_sha256=manifest.provenance.checkpoint_sha256,
        graph_sha256=manifest.engine.source_sha256 if manifest.engine else sha256(file),
        engine_sha256=sha256(file) if manifest.engine else None,
        parity=numbers(parity),
        limits=dict(limits),
        noise_floor={what: numbers(noise) for what, noise in proof.noise.items()},
        other_sizes={
            "{}x{}".format(*size): numbers(measured) for size, measured in elsewhere.items()
        },
        frames=Frames(origin=frames.origin, fingerprint=frames.fingerprint(), names=frames.names),
        worst=write_heatmaps(
            folder, frames.inputs, frames.names, proof.reference, candidate, manifest.threshold
        ),
        preprocessing=proof.preprocessing,
        backend=backend,
        device=describe_device(),
        tools={**manifest.provenance.tools, **measuring_tools()},
    )
    if error is not None:
        write_certificate(certificate, folder / "parity.json")
        advice = ADVICE[manifest.precision]
        error = ParityError(f"{error}; {advice}; the evidence lies in {folder}")
    return Verdict(certificate, error)


def grant(verdict: Verdict, path: Path) -> Certificate:
    """Writes the certificate beside a finished artefact; withdraws an older one of the same file
    where the verdict is against it, and raises its ParityError. Raises SinkError."""
    if verdict.error is not None:
        certificate_path(path).unlink(missing_ok=True)
        raise verdict.error
    shutil.rmtree(path.with_name(f"{path.name}.failed"), ignore_errors=True)
    write_certificate(verdict.certificate, certificate_path(path))
    return verdict.certificate


def summarise(precision: str, parity: Parity, origin: str) -> str:
    """The one line that a run and the doctor show."""
    lost = "" if parity.iou_drop is None else f", IoU {0 - 100 * parity.iou_drop:+.2f} points"
    return (
        f"{precision} against PyTorch: {100 * parity.flipped:.3f} % of pixels flip, water off by "
        f"{100 * parity.fraction_difference:.2f} % at most{lost}; on {origin}"
    )


def _broken(
    path: Path,
    parity: Parity,
    elsewhere: Mapping[tuple[int, int], Parity],
    limits: Mapping[str, float],
) -> ParityError | None:
    """What is wrong, if anything. At other sizes too few frames are measured to judge their IoU."""
    try:
        check(parity, limits, path.name)
        for size, measured in elsewhere.items():
            decisive = {name: limit for name, limit in limits.items() if name != "iou_drop"}
            allowed = at_least_a_pixel(decisive, measured.frames, size)
            check(measured, allowed, "{} at {}x{}".format(path.name, *size))
    except ParityError as error:
        return error
    return None


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return folder
