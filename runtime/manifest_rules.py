"""What holds of the values in a manifest, beyond their types."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from runtime.processing import INTERPOLATIONS
from runtime.sizes import LARGEST

if TYPE_CHECKING:
    from runtime.manifest import Manifest

PRECISIONS = ("fp32", "fp16", "int8")
WIDEST = 4.0
"""Times the published width; beyond that a damaged number would only fill the memory."""


def rules(manifest: Manifest) -> list[tuple[str, bool]]:
    """Each rule in words, with what came instead, and whether this manifest keeps it."""
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
