"""Pictures to learn from beside the data set's own: of other places, and without any water."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from train.cache import Pictures
from train.dataset import Photographs
from train.dry import dry_photographs
from train.pairs import find_pairs
from train.samples import Samples


def beside(also: Path | None, dry: Path | None) -> dict[str, Samples]:
    """also: a folder with Image/ and Mask/; dry: one of pictures without any water; by what a
    progress bar calls them, those that are given. Raises DataError."""
    found: dict[str, Samples] = {}
    if also is not None:
        found["also"] = Photographs(find_pairs(also))
    if dry is not None:
        found["dry"] = dry_photographs(dry)
    return found


def joined(parts: Sequence[Pictures]) -> Pictures:
    """All pictures of the parts in turn; masks are uint8, 255 is water, unless all are bool."""
    if len(parts) == 1:
        return parts[0]
    kinds = {part.masks.dtype for part in parts}
    return Pictures(
        images=np.concatenate([part.images for part in parts]),
        masks=np.concatenate([part.masks if len(kinds) == 1 else _grey(part) for part in parts]),
        names=tuple(name for part in parts for name in part.names),
    )


def _grey(part: Pictures) -> NDArray[np.uint8]:
    return part.masks.astype(np.uint8) * 255 if part.masks.dtype == bool else part.masks
