"""What a data set is: pairs of photograph and mask, in three splits that share no scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

GENERATED = "generated scenes"
"""What a manifest calls the generated data set."""
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
