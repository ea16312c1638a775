"""The contract is enforced: what is missing, damaged, foreign or changed is refused by name."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from runtime.errors import BackendError, ManifestError
from runtime.files import sha256
from runtime.manifest_file import (
    manifest_path,
    read_manifest,
    verified_meanwhile,
    write_manifest,
)
from tests.runtime.models import manifest_of


@pytest.fixture
def artefact(tmp_path: Path) -> Path:
    """A file with a valid manifest; the manifest does not care what is in the file."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"weights")
    write_manifest(manifest_of(), path)
    return path


def change(artefact: Path, **changes: Any) -> None:
    path = manifest_path(artefact)
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_what_is_written_is_read_back_with_the_hash_of_the_file(artefact: Path) -> None:
    manifest = read_manifest(artefact)
    assert manifest == dataclasses.replace(manifest_of(), artefact_sha256=sha256(artefact))
    assert manifest_path(artefact).name == "model.onnx.json"
    assert json.loads(manifest_path(artefact).read_text())["input_size"] == [32, 48]


def test_a_missing_model_and_a_missing_manifest_are_told_apart(artefact: Path) -> None:
    with pytest.raises(ManifestError, match=r"no such model: .*other.onnx; check the path or run"):
        read_manifest(artefact.with_name("other.onnx"))
    manifest_path(artefact).unlink()
    with pytest.raises(ManifestError, match=r"has no manifest; wanted model\.onnx\.json beside"):
        read_manifest(artefact)


def test_a_changed_model_file_is_refused(artefact: Path) -> None:
    artefact.write_bytes(b"Weights")
    with pytest.raises(ManifestError, match=r"is not the file its manifest describes \(sha256"):
        read_manifest(artefact)


def test_a_changed_model_file_is_refused_while_it_is_loaded(artefact: Path) -> None:
    with verified_meanwhile(artefact) as manifest:
        assert manifest == read_manifest(artefact)
    with pytest.raises(BackendError, match="its own"), verified_meanwhile(artefact):
        raise BackendError("its own")
    artefact.write_bytes(b"Weights")
    with pytest.raises(ManifestError, match="is not the file"), verified_meanwhile(artefact):
        pass
    with pytest.raises(ManifestError, match="is not the file"), verified_meanwhile(artefact):
        raise BackendError("what the changed file made of it")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"null", b"[]", b'"text"', b"[" * 200_000, b"9" * 5000],
    ids=["empty", "cut", "no-utf8", "null", "list", "text", "nested", "huge-number"],
)
def test_a_damaged_manifest_is_one_clear_error(artefact: Path, content: bytes) -> None:
    manifest_path(artefact).write_bytes(content)
    with pytest.raises(ManifestError, match=r"model\.onnx\.json.*(copy it again or export)"):
        read_manifest(artefact)


REMARKS = {"sizes", "dynamic_size", "half_layers", "quantisation", "engine"}
"""Keys that describe an artefact and change no pixel; only these may be missing."""


@pytest.mark.parametrize("key", sorted(REMARKS))
def test_a_remark_may_be_missing(artefact: Path, key: str) -> None:
    path = manifest_path(artefact)
    values = json.loads(path.read_text())
    del values[key]
    path.write_text(json.dumps(values))
    assert read_manifest(artefact).input_size


@pytest.mark.parametrize(
    "key",
    [field.name for field in dataclasses.fields(manifest_of()) if field.name not in REMARKS],
)
def test_every_other_key_is_needed(artefact: Path, key: str) -> None:
    path = manifest_path(artefact)
    values = json.loads(path.read_text())
    del values[key]
    path.write_text(json.dumps(values))
    with pytest.raises(ManifestError, match=f"missing key '{key}'"):
        read_manifest(artefact)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"surprise": 1}, "unknown key 'surprise'"),
        ({"schema": 2}, "has schema 2, this program reads schema 1; update the program"),
        ({"schema": 0}, "has schema 0.*export the model anew"),
        ({"schema": "1"}, "'manifest.schema' is '1', wanted a int"),
        ({"input_size": [32, 33]}, "input_size is two multiples of 16 from 16 on, not 32x33"),
        ({"input_size": [0, 32]}, "input_size"),
        ({"input_size": [-16, 32]}, "input_size"),
        ({"input_size": [1 << 20, 32]}, "input_size"),
        ({"sizes": {"multiple": 32, "smallest": 32}, "input_size": [32, 48]}, "not 32x48"),
        ({"sizes": {"multiple": 16, "smallest": 96}}, "two multiples of 16 from 96 on"),
        ({"sizes": {"multiple": 0, "smallest": 0}}, "sizes.smallest is a multiple"),
        ({"sizes": {"multiple": 16, "smallest": 24}}, "sizes.smallest is a multiple"),
        ({"sizes": {"multiple": 32}}, "sizes.smallest is a multiple"),
        ({"batch": -1}, "batch is 0 or more, not -1"),
        ({"width": 0}, "width is positive"),
        ({"width": 1e6}, "width is positive and at most 4, not 1000000"),
        ({"resize": "cubic"}, "resize is one of linear, area, pyramid, not 'cubic'"),
        ({"colour_order": "BGR"}, "colour_order is RGB, not 'BGR'"),
        ({"mean": [0.5, 0.5, 128]}, "mean lies in 0-1"),
        ({"std": [0.2, 0.2, 0]}, "std is positive"),
        ({"threshold": 1}, "threshold lies between 0 and 1"),
        ({"threshold": float("nan")}, "'manifest.threshold' is 'nan'"),
        ({"class_names": ["water"]}, "class_names are two names"),
        ({"precision": "fp8"}, "precision is one of fp32, fp16, int8"),
        ({"artefact_sha256": "A" * 64}, "artefact_sha256 is 64 hexadecimal digits"),
        ({"artefact_sha256": "0" * 64 + "\n"}, "artefact_sha256 is 64 hexadecimal digits"),
        ({"provenance": {"checkpoint_sha256": "", "tools": {}}}, "checkpoint_sha256 is 64"),
    ],
)
def test_values_outside_the_rules_are_refused(
    artefact: Path, changes: dict[str, Any], message: str
) -> None:
    change(artefact, **changes)
    with pytest.raises(ManifestError, match=message):
        read_manifest(artefact)
