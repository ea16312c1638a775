"""Certificates: what they hold, when they are written, withdrawn and believed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from export import __main__ as main
from export import artefacts, verify
from export.heatmaps import draw, worst_frames
from export.noise import noise_floor
from export.parity import LIMITS
from export.proof import Proof
from runtime.certificate import certificate_line, certificate_path, read_certificate
from runtime.errors import ManifestError
from runtime.files import sha256
from runtime.manifest_file import read_manifest, write_manifest

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def artefact(home: Path) -> Path:
    return home / "exports" / "tiny" / "model.fp16.onnx"


def damage(artefact: Path) -> None:
    """The same graph with another bias in its last layer, and a manifest that fits it."""
    manifest = read_manifest(artefact)
    graph = onnx.load(artefact)
    (bias,) = [entry for entry in graph.graph.initializer if entry.name.endswith("layer1.bias")]
    values = numpy_helper.to_array(bias)
    bias.CopyFrom(numpy_helper.from_array(values + values.dtype.type(2), bias.name))
    artefact.write_bytes(graph.SerializeToString())
    write_manifest(manifest, artefact)


def test_a_certificate_says_what_was_measured_on_what(artefact: Path) -> None:
    manifest = read_manifest(artefact)
    certificate = read_certificate(artefact, manifest)
    assert certificate is not None
    assert certificate.passed
    assert certificate.artefact_sha256 == certificate.graph_sha256 == sha256(artefact)
    assert certificate.checkpoint_sha256 == manifest.provenance.checkpoint_sha256
    assert certificate.engine_sha256 is None
    assert certificate.limits == LIMITS["fp16"]
    assert {"max_abs", "mean_abs", "q999_abs", "flipped", "iou_drop"} <= set(certificate.parity)
    assert all(certificate.parity[name] <= limit for name, limit in certificate.limits.items())
    assert next(iter(certificate.noise_floor)) == "a second run"
    assert len(certificate.noise_floor) == 2
    assert {"torch", "onnxruntime", "numpy", "opencv"} <= set(certificate.tools)
    assert certificate.backend == "onnxruntime (CPU)"
    assert "cores" in certificate.device
    assert len(certificate.frames.fingerprint) == 64
    assert "split" in certificate.frames.origin
    assert certificate.preprocessing.frames == 19 + len(certificate.frames.names)
    assert len(certificate.preprocessing.rule_sha256) == 64
    assert "fp16 against PyTorch" in certificate.summary


def test_the_worst_frames_are_pictures_beside_it(artefact: Path) -> None:
    certificate = read_certificate(artefact, read_manifest(artefact))
    assert certificate is not None
    shares = [frame.flipped for frame in certificate.worst]
    assert shares == sorted(shares, reverse=True)
    assert {frame.name for frame in certificate.worst} <= set(certificate.frames.names)
    for frame in certificate.worst:
        picture = cv2.imread(str(artefact.with_name(f"{artefact.name}.parity") / frame.picture))
        height, width = read_manifest(artefact).input_size
        assert picture.shape[0] > height and picture.shape[1] >= 4 * width


def test_a_certificate_of_another_file_is_never_claimed(artefact: Path) -> None:
    assert certificate_line(artefact, read_manifest(artefact)).startswith("parity: fp16 against")
    damage(artefact)
    with pytest.raises(ManifestError, match="is of another file; verify the model anew with"):
        read_certificate(artefact, read_manifest(artefact))
    assert "not proved" in certificate_line(artefact, read_manifest(artefact))


def test_a_failed_proof_takes_no_older_one_along_and_shows_its_evidence(
    command: Command, artefact: Path, photographs: Path
) -> None:
    damage(artefact)
    code, out, err = command(verify.app, artefact, "--data", photographs)
    assert code == 1
    assert f"the evidence lies in {artefact.relative_to(Path.cwd())}.failed" in err or (
        f"the evidence lies in {artefact}.failed" in err
    )
    assert "share of mask pixels that flip" in out
    assert not certificate_path(artefact).exists()
    evidence = artefact.with_name(f"{artefact.name}.failed")
    numbers = json.loads((evidence / "parity.json").read_text())
    assert numbers["passed"] is False
    assert numbers["parity"]["max_abs"] == pytest.approx(2, abs=0.2)
    assert {path.name for path in evidence.iterdir()} == {
        "parity.json", *(frame["picture"] for frame in numbers["worst"])
    }  # fmt: skip


def test_a_proof_that_failed_is_refused_even_under_the_right_name(artefact: Path) -> None:
    path = certificate_path(artefact)
    path.write_text(path.read_text().replace('"passed": true', '"passed": false'))
    with pytest.raises(ManifestError, match="of a proof that failed"):
        read_certificate(artefact, read_manifest(artefact))


def test_verify_writes_the_certificate_anew_with_the_limits_it_was_given(
    command: Command, artefact: Path, photographs: Path
) -> None:
    certificate_path(artefact).unlink()
    loose = ("--atol", 0.75, "--max-flipped", 0.5, "--max-water", 0.25, "--max-drop", 0.125)
    code, _, err = command(verify.app, artefact, "--data", photographs, "--frames", 2, *loose)
    assert code == 0, err
    certificate = read_certificate(artefact, read_manifest(artefact))
    assert certificate is not None
    assert len(certificate.frames.names) == 1, "there is no other"
    assert certificate.limits["max_abs"] == 0.75
    assert certificate.limits["iou_drop"] == 0.125
    tight = ("--atol", 0)
    code, _, err = command(verify.app, artefact, "--data", photographs, *tight)
    assert (code, "largest logit difference is" in err) == (1, True)


def test_a_failed_export_leaves_evidence_and_the_earlier_artefact(
    command: Command,
    home: Path,
    photographs: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    artefact = home / "exports" / "tiny" / "model.onnx"
    before = {path: path.read_bytes() for path in artefact.parent.iterdir() if path.is_file()}
    monkeypatch.setattr(artefacts, "LIMITS", {"fp32": {"max_abs": -1.0}})
    code, _, err = command(
        main.app, home / "runs/tiny/best.safetensors", "--data", photographs,
        "--out", artefact.parent,
    )  # fmt: skip
    assert code == 1
    assert "the evidence lies in" in err
    after = {path: path.read_bytes() for path in artefact.parent.iterdir() if path.is_file()}
    assert after == before
    assert (artefact.parent / "model.onnx.failed" / "worst-1.png").is_file()


def test_pytorchs_own_noise_is_measured(proof: Proof) -> None:
    moved = dataclasses.replace(proof, reference=proof.reference + np.float32(0.5))
    floor = noise_floor(proof.network, proof.manifest, proof.frames.inputs, moved.reference)
    assert [parity.max_abs for parity in floor.values()] == pytest.approx([0.5, 0.5], abs=1e-3)
    assert max(parity.max_abs for parity in proof.noise.values()) < 1e-3


def test_the_worst_frame_is_the_one_with_most_flips_then_the_largest_difference() -> None:
    reference = np.array([1, 1, 1, -1], np.float32).reshape(4, 1, 1, 1)
    candidate = np.array([1, -0.1, 9, -np.inf], np.float32).reshape(4, 1, 1, 1)
    assert [frame[0] for frame in worst_frames(reference, candidate, 0.5)] == [1, 3, 2]


def test_flipped_pixels_are_red_in_the_picture() -> None:
    picture = np.zeros((40, 40, 3), np.uint8)
    reference = np.full((40, 40), -1, np.float32)
    candidate = reference.copy()
    candidate[10:20] = 1
    panel = draw(picture, reference, candidate, 0.5)[:40, 88:128]
    red = (panel == (0, 0, 255)).all(axis=-1)
    assert red[10:20].all() and not red[:10].any()
