"""The contract beside every artefact: what was trained on what, and how pictures become inputs.

`train` writes it, `export` copies it, `runtime` enforces it. Nothing that changes a pixel has a
default: what a manifest does not say is an error.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runtime.errors import ManifestError
from runtime.files import atomic_path, sha256
from runtime.processing import INTERPOLATIONS
from runtime.sizes import LARGEST, SizeRule
from runtime.strict_json import decode

SCHEMA = 1
INPUT_NAME = "input"
OUTPUT_NAME = "logits"
PRECISIONS = ("fp32", "fp16", "int8")
WIDEST = 4.0
"""Times the published width; beyond that a damaged number would only fill the memory."""


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
        for wanted, holds in _rules(self):
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


def manifest_path(artefact: Path) -> Path:
    """`model.onnx` -> `model.onnx.json`, in the same folder."""
    return artefact.with_name(artefact.name + ".json")


def write_manifest(manifest: Manifest, artefact: Path) -> Manifest:
    """Writes the manifest beside a finished artefact and returns it with the artefact's hash.

    Call it last: the hash is taken from the file as it stands. Raises SinkError.
    """
    with atomic_path(manifest_path(artefact)) as temporary:
        return seal(manifest, artefact, temporary)


def seal(manifest: Manifest, content: Path, file: Path) -> Manifest:
    """Writes the manifest of an artefact whose content and manifest are still temporary files, and
    returns it with the content's hash. Raises OSError."""
    sealed = dataclasses.replace(manifest, artefact_sha256=sha256(content))
    file.write_text(to_json(sealed), encoding="utf-8")
    return sealed


def to_json(manifest: Manifest) -> str:
    """A manifest as its file holds it."""
    return json.dumps(dataclasses.asdict(manifest), indent=2, allow_nan=False) + "\n"


def read_manifest(artefact: Path) -> Manifest:
    """Reads and validates the manifest of an artefact and verifies the artefact's hash.

    Raises ManifestError for a missing or damaged manifest, an unknown schema, unknown or missing
    keys, wrong types and values, and for an artefact that changed since it was written.
    """
    if not artefact.is_file():
        raise ManifestError(f"no such model: {artefact}; check the path or run 'python -m export'")
    path = manifest_path(artefact)
    try:
        parsed = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ManifestError(
            f"{artefact} has no manifest; wanted {path.name} beside it: copy both files, "
            "or export the model anew"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ManifestError(
            f"{path} is damaged ({str(error).splitlines()[0]}); copy it again or export anew"
        ) from error
    manifest = _decode(parsed, path)
    actual = sha256(artefact)
    if actual != manifest.artefact_sha256:
        raise ManifestError(
            f"{artefact} is not the file its manifest describes (sha256 {actual[:12]}…, "
            f"wanted {manifest.artefact_sha256[:12]}…); copy both files again or export anew"
        )
    return manifest


def _decode(parsed: Any, path: Path) -> Manifest:
    schema = parsed.get("schema") if isinstance(parsed, dict) else None
    if isinstance(schema, int) and schema != SCHEMA:
        raise ManifestError(
            f"{path} has schema {schema}, this program reads schema {SCHEMA}; "
            f"{'update the program' if schema > SCHEMA else 'export the model anew'}"
        )
    try:
        return decode(Manifest, parsed)
    except (ValueError, ManifestError) as error:
        raise ManifestError(f"{path}: {error}; copy it again or export the model anew") from error


def _rules(manifest: Manifest) -> list[tuple[str, bool]]:
    hexadecimal = re.compile(r"[0-9a-f]{64}")
    sizes, (height, width) = manifest.sizes, manifest.input_size
    if not 0 < sizes.multiple <= sizes.smallest < LARGEST or sizes.smallest % sizes.multiple:
        return [(f"sizes.smallest is a multiple of sizes.multiple, not {sizes}", False)]
    return [
        (
            f"input_size is two multiples of {sizes.multiple} from {sizes.smallest} on, "
            f"not {height}x{width}",
            sizes.takes(height) and sizes.takes(width),
        ),
        (f"batch is 0 or more, not {manifest.batch}", manifest.batch >= 0),
        (
            f"width is positive and at most {WIDEST:g}, not {manifest.width}",
            0 < manifest.width <= WIDEST,
        ),
        (
            f"resize is one of {', '.join(INTERPOLATIONS)}, not '{manifest.resize}'",
            manifest.resize in INTERPOLATIONS,
        ),
        (f"colour_order is RGB, not '{manifest.colour_order}'", manifest.colour_order == "RGB"),
        (f"mean lies in 0-1, not {manifest.mean}", all(0 <= m <= 1 for m in manifest.mean)),
        (f"std is positive, not {manifest.std}", all(0 < s < math.inf for s in manifest.std)),
        (f"threshold lies between 0 and 1, not {manifest.threshold}", 0 < manifest.threshold < 1),
        (f"class_names are two names, not {manifest.class_names}", len(manifest.class_names) == 2),
        (
            f"precision is one of {', '.join(PRECISIONS)}, not '{manifest.precision}'",
            manifest.precision in PRECISIONS,
        ),
        (
            "artefact_sha256 is 64 hexadecimal digits",
            hexadecimal.fullmatch(manifest.artefact_sha256) is not None,
        ),
        (
            "checkpoint_sha256 is 64 hexadecimal digits",
            hexadecimal.fullmatch(manifest.provenance.checkpoint_sha256) is not None,
        ),
    ]
