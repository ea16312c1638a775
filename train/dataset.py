"""A data set: pairs of photograph and mask, in three splits that share no scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.errors import DataError
from runtime.images import read_grey, read_picture
from train.pairs import Pair, find_pairs, fingerprint
from train.splits import SPLITS, split_pairs

SYNTHETIC = "synthetic"
GENERATED = "generated scenes"
"""What --data and a manifest call the generated data set."""
DEFAULT_SEED = 42
MASK_THRESHOLD = 127
"""A grey level above this one is water."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """image: (H, W, 3) uint8 RGB. mask: (H, W) bool, water is True. name: the picture's stem."""

    image: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    name: str


class Samples(Protocol):
    """Samples in a fixed order, each decoded when it is asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """splits: "train", "val" and "test" -> samples; "test" may be empty.

    fingerprint: SHA-256 over names and contents. split_rule: one sentence on what decided the
    splits. generated: samples are computed (worth processes), not decoded (threads do).
    """

    name: str
    fingerprint: str
    split_rule: str
    splits: dict[str, Samples]
    generated: bool = False


class Photographs:
    """Samples read from files. Masks above grey 127 are water and take their image's size."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self.pairs = tuple(pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        pair = self.pairs[index]
        image, grey = read_picture(pair.image), read_grey(pair.mask)
        if grey.shape != image.shape[:2]:
            height, width = image.shape[:2]
            grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_LINEAR)
        return Sample(image=image, mask=grey > MASK_THRESHOLD, name=pair.image.stem)


def open_dataset(data: str, pairs: Path | None = None, seed: int = DEFAULT_SEED) -> DataSet:
    """The data set of a folder with Image/ and Mask/, or the generated one for "synthetic".

    pairs: a CSV with the columns Image, Mask and, if known, group and split; without it the
    folder's own metadata.csv or equal stems make the pairs. seed: of the split by groups where
    none is given, and of the generated scenes. Raises DataError.
    """
    if data == SYNTHETIC:
        if pairs is not None:
            raise DataError("--pairs belongs to a folder of photographs; leave it out here")
        from train.synthetic import open_synthetic

        return open_synthetic(seed)
    folder = Path(data)
    found = find_pairs(folder, pairs)
    splits, rule = split_pairs(found, seed)
    return DataSet(
        name=folder.resolve().name,
        fingerprint=fingerprint(found),
        split_rule=rule,
        splits={name: Photographs(splits[name]) for name in SPLITS},
    )
