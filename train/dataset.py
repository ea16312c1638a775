"""Opens a data set: a folder of photographs with masks, or the generated one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2

from runtime.errors import DataError
from runtime.images import read_grey, read_picture
from train.pairs import Pair, find_pairs, fingerprint
from train.samples import MASK_THRESHOLD, DataSet, Sample
from train.splits import SPLITS, split_pairs
from train.synthetic import open_synthetic

SYNTHETIC = "synthetic"
"""What --data calls the generated data set."""
DEFAULT_SEED = 42


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
