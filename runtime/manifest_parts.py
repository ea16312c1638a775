"""What a manifest says of where an artefact comes from and where it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TrainedOn:
    """The data behind the weights.

    fingerprint: SHA-256 over the names and contents of all pairs. split: what the split was made
    by and its counts, as one sentence. scores: metric name -> value on the validation split.
    teacher: SHA-256 of the checkpoint that labelled the pictures, None where none did.
    """

    dataset: str
    fingerprint: str
    split: str
    scores: dict[str, float]
    teacher: str | None = None


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where the artefact comes from. tools: library name -> version, of the step that wrote it."""

    checkpoint_sha256: str
    tools: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class EngineBinding:
    """The only place where an engine may run. library: "tensorrt" or "tensorrt_rtx", and its
    version; gpu, compute_capability ("8.7") and driver (the newest CUDA version it can serve): of
    the machine that built it, or "any" for an engine built ahead of time. source_sha256: of the
    graph it was built from. driver_version: the driver's own, under which the engine was built; a
    remark, for others may run it; None where unknown, ahead of time and in older manifests."""

    library: str
    version: str
    gpu: str
    compute_capability: str
    driver: str
    source_sha256: str
    driver_version: str | None = None


@dataclass(frozen=True, kw_only=True)
class Quantisation:
    """How an INT8 graph came about. kind: "cpu" (unsigned activations) or "tensorrt" (signed,
    symmetric). method: how ranges were drawn. calibrated_on: the pictures, as one sentence.
    kept: layers that would have cost too much accuracy, for CPUs the first of the network in front,
    then the dearest first; they stay in float32 for CPUs and in half precision for TensorRT."""

    kind: str
    method: str
    calibrated_on: str
    kept: tuple[str, ...]
