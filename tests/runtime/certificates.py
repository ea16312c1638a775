"""A certificate as `export` writes it."""

from __future__ import annotations

import dataclasses

from runtime.certificate import SCHEMA, Certificate, Frames, Preprocessing


def certificate_of(**changes: object) -> Certificate:
    """A valid certificate of a proof that passed."""
    certificate = Certificate(
        schema=SCHEMA,
        summary="all well",
        passed=True,
        precision="fp32",
        artefact_sha256="0" * 64,
        checkpoint_sha256="0" * 64,
        graph_sha256="0" * 64,
        engine_sha256=None,
        parity={"max_abs": 0.0},
        limits={"max_abs": 1e-3},
        noise_floor={"a second run": {"max_abs": 0.0}},
        other_sizes={},
        frames=Frames(origin="nowhere", fingerprint="0" * 64, names=("a",)),
        worst=(),
        preprocessing=Preprocessing(
            rule="none",
            rule_sha256="0" * 64,
            frames=0,
            pixels_sha256="0" * 64,
            normalisation_difference=0.0,
        ),
        backend="onnxruntime (CPU)",
        device="a computer",
        tools={},
    )
    return dataclasses.replace(certificate, **changes)  # type: ignore[arg-type]
