"""The parity certificate beside an artefact: how far it is from the network that was trained.

`export` writes it, the build of an engine does so with what it can measure, the runtime shows it,
and none claims one that is of another file.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from runtime.errors import ManifestError
from runtime.files import write_text
from runtime.manifest import Manifest
from runtime.strict_json import decode

SCHEMA = 1
Numbers = dict[str, float]
"""Name of a measure of parity (see export.parity.Parity) -> its value."""


@dataclass(frozen=True, kw_only=True)
class Frames:
    """What was measured on. fingerprint: SHA-256 over the inputs and true masks; names: of the
    pictures; origin: in words, where they come from."""

    origin: str
    fingerprint: str
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WorstFrame:
    """One of the frames that differ most. flipped: share of its pixels, 0 to 1; max_abs: largest
    logit difference; picture: file name of its heat map."""

    name: str
    flipped: float
    max_abs: float
    picture: str


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """That training and runtime make the same input of the same frame, bit for bit.

    rule: in words, with its SHA-256. frames: how many were compared, adversarial ones included.
    pixels_sha256: over the inputs made of the adversarial frames, which are the same everywhere.
    normalisation_difference: the one place where floating point differs, after normalisation.
    """

    rule: str
    rule_sha256: str
    frames: int
    pixels_sha256: str
    normalisation_difference: float


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What was measured of one artefact against a reference, and what was allowed.

    passed: None where nothing was measured, because an engine cannot run where it was built; the
    summary then says why. reference: what it was held to, an engine at its build to the graph that
    was named. graph_sha256: of the graph itself or the one an engine was built from; engine_sha256:
    only of engines. parity and limits: by name; a number without a limit is a remark. noise_floor:
    how far PyTorch is from itself, by what was changed. other_sizes: "48x80" -> the numbers at that
    size, of artefacts that take any. preprocessing: None where training's was not there to compare.
    device: what it was measured on; tools: library -> version.
    """

    schema: int
    summary: str
    passed: bool | None
    precision: str
    artefact_sha256: str
    checkpoint_sha256: str
    graph_sha256: str
    engine_sha256: str | None
    parity: Numbers
    limits: Numbers
    noise_floor: dict[str, Numbers]
    other_sizes: dict[str, Numbers]
    frames: Frames
    worst: tuple[WorstFrame, ...]
    preprocessing: Preprocessing | None
    backend: str
    device: str
    tools: dict[str, str]
    reference: str = "PyTorch in float32"


def certificate_path(artefact: Path) -> Path:
    """`model.onnx` -> `model.onnx.parity.json`, in the same folder."""
    return artefact.with_name(artefact.name + ".parity.json")


def write_certificate(certificate: Certificate, path: Path) -> None:
    """Writes it as JSON. Raises SinkError."""
    text = json.dumps(dataclasses.asdict(certificate), indent=2)
    write_text(path, text + "\n")


def read_certificate(artefact: Path, manifest: Manifest) -> Certificate | None:
    """The certificate beside an artefact, None where there is none.

    Raises ManifestError for one that is damaged, of another file, or says that the proof failed or
    that there is none.
    """
    path = certificate_path(artefact)
    advice = f"verify the model anew with: python -m export.verify {artefact}"
    try:
        certificate = decode(Certificate, json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise ManifestError(f"{path} is damaged ({reason}); {advice}") from error
    if certificate.artefact_sha256 != manifest.artefact_sha256:
        raise ManifestError(f"{path.name} is of another file; {advice}")
    if certificate.passed is None:
        raise ManifestError(
            f"{path.name} claims nothing ({certificate.summary}); ask the golden frames on the "
            f"device with: flood-runtime doctor --self-test --model {artefact}"
        )
    if not certificate.passed:
        raise ManifestError(f"{path.name} is of a proof that failed; {advice}")
    return certificate


def certificate_line(artefact: Path, manifest: Manifest) -> str:
    """What a run says of its model at its start."""
    try:
        certificate = read_certificate(artefact, manifest)
    except ManifestError as error:
        return f"parity: not proved: {error}"
    if certificate is None:
        return (
            f"parity: not proved here: no {certificate_path(artefact).name}; "
            f"make one with: python -m export.verify {artefact}"
        )
    return f"parity: {certificate.summary}"
