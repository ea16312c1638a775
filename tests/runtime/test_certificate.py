from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runtime.certificate import (
    certificate_line,
    certificate_path,
    read_certificate,
    write_certificate,
)
from runtime.errors import ManifestError
from runtime.manifest_file import read_manifest
from tests.runtime.certificates import certificate_of
from tests.runtime.conftest import Command
from tests.runtime.models import write_model


@pytest.fixture
def artefact(tmp_path: Path) -> Path:
    path = write_model(tmp_path / "model.onnx")
    sha256 = read_manifest(path).artefact_sha256
    write_certificate(certificate_of(artefact_sha256=sha256), certificate_path(path))
    return path


def test_what_was_written_is_read(artefact: Path) -> None:
    manifest = read_manifest(artefact)
    expected = certificate_of(artefact_sha256=manifest.artefact_sha256)
    assert read_certificate(artefact, manifest) == expected
    certificate_path(artefact).unlink()
    assert read_certificate(artefact, manifest) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"artefact_sha256": "1" * 64}, "of another file; verify the model anew with: python -m"),
        ({"passed": False}, "of a proof that failed"),
        ({"passed": None}, "claims nothing .all well.; ask the golden frames on the device with"),
        ({"passed": "yes"}, "is damaged .'certificate.passed' is 'yes', wanted a bool"),
        ({"surprise": 1}, "is damaged .unknown key 'surprise'"),
        ({"parity": {"max_abs": "small"}}, "is damaged"),
    ],
)
def test_what_does_not_speak_for_this_file_is_never_claimed(
    artefact: Path, changes: dict[str, Any], message: str
) -> None:
    path = certificate_path(artefact)
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(ManifestError, match=message):
        read_certificate(artefact, read_manifest(artefact))
    line = certificate_line(artefact, read_manifest(artefact))
    assert line.startswith("parity: not proved: ") and "\n" not in line


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b"[" * 100_000])
def test_a_damaged_certificate_is_one_line(artefact: Path, content: bytes) -> None:
    certificate_path(artefact).write_bytes(content)
    with pytest.raises(ManifestError, match=r"model\.onnx\.parity\.json is damaged"):
        read_certificate(artefact, read_manifest(artefact))


def test_a_run_begins_with_what_was_proved(
    artefact: Path, clip: Path, flood_runtime: Command
) -> None:
    arguments = ("--source", clip, "--model", artefact, "--max-frames", 1)
    assert "parity: all well\n" in flood_runtime(*arguments).stderr
    certificate_path(artefact).unlink()
    told = flood_runtime(*arguments).stderr
    assert "parity: not proved here: no model.onnx.parity.json; make one with: python -m" in told
