"""The contract beside every artefact: what was trained on what, and how pictures become inputs.

`train` writes it, `export` copies it, `runtime` enforces it. Nothing that changes a pixel has a
default: what a manifest does not say is an error.
"""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass, field

from runtime.errors import ManifestError
from runtime.manifest_parts import EngineBinding, Provenance, Quantisation, TrainedOn
from runtime.processing import INTERPOLATIONS
from runtime.sizes import LARGEST, SizeRule

SCHEMA = 1
INPUT_NAME = "input"
OUTPUT_NAME = "logits"
PRECISIONS = ("fp32", "fp16", "int8")
WIDEST = 4.0
"""Times the published width; beyond that a damaged number would only fill the memory."""


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


def _rules(manifest: Manifest) -> list[tuple[str, bool]]:
    """Each rule in words, with what came instead, and whether it holds."""
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
