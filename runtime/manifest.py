"""The contract beside every artefact: what was trained on what, and how pictures become inputs.

`train` writes it, `export` copies it, `runtime` enforces it. Nothing that changes a pixel has a
default: what a manifest does not say is an error.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from runtime.errors import ManifestError
from runtime.manifest_rules import rules
from runtime.sizes import SizeRule

SCHEMA = 1
INPUT_NAME = "input"
OUTPUT_NAME = "logits"


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
    kept: layers that would have cost too much accuracy, dearest first; they stay in float32 for
    CPUs and in half precision for TensorRT."""

    kind: str
    method: str
    calibrated_on: str
    kept: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """How to run one artefact. Sizes are (height, width) in pixels; mean and std are in the
    range 0-1 and in the order of `colour_order`; threshold is a probability; a batch of 0 means
    any number of frames. sizes: which sides the network can take. dynamic_size: whether the
    artefact takes all of them; input_size is then the one it is run at unless told otherwise.
    half_layers: where layers were counted ("graph", "tensorrt network") -> how many compute in
    half precision, of how many; empty for other precisions. quantisation: only of INT8. engine:
    only of engines."""

    schema: int
    model: str
    width: float
    input_size: tuple[int, int]
    batch: int
    resize: str
    colour_order: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    threshold: float
    class_names: tuple[str, ...]
    precision: str
    trained_on: TrainedOn
    provenance: Provenance
    artefact_sha256: str
    sizes: SizeRule = field(default_factory=SizeRule)
    dynamic_size: bool = False
    half_layers: dict[str, tuple[int, int]] = field(default_factory=dict)
    quantisation: Quantisation | None = None
    engine: EngineBinding | None = None

    def __post_init__(self) -> None:
        for wanted, holds in rules(self):
            if not holds:
                raise ManifestError(f"the manifest breaks a rule: {wanted}; export the model anew")

    def at_size(self, input_size: tuple[int, int]) -> Manifest:
        """The manifest of the same artefact run at another (height, width). Raises ManifestError
        for an artefact of a fixed size, DataError for sides that its network does not take."""
        if not self.dynamic_size and input_size != self.input_size:
            height, width = self.input_size
            raise ManifestError(
                f"this model takes {height}x{width} only, not {input_size[0]}x{input_size[1]}; "
                "export it anew with --size or with --dynamic-size"
            )
        return dataclasses.replace(self, input_size=self.sizes.checked(input_size))
