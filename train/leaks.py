"""Whether a split that came with a table parts pictures of one scene."""

from __future__ import annotations

import numpy as np

from runtime.console import say
from train.cache import Pictures
from train.data_folder import named
from train.duplicates import near_duplicates, thumbnail
from train.samples import DataSet
from train.splits import GIVEN

MOST = 1000
"""Pictures up to which the search takes seconds; it grows with their square."""


def tell_leaks(dataset: DataSet, train: Pictures, val: Pictures) -> None:
    """One line on stderr where photographs of val are near-duplicates of some in train: a network
    that has learned them scores too well.

    A split that is dealt by groups parts none. train, val: decoded at any size.
    """
    if not dataset.split_rule.startswith(GIVEN) or len(train) + len(val) > MOST:
        return
    found = leaks(train, val)
    if found:
        pairs = named([f"{first} and {second}" for first, second in found])
        say(
            f"warning: this split parts pictures of one scene (train and val: {pairs}), so scores "
            "on val will be too good; 'python -m train.audit' lists them: mend the split column"
        )


def leaks(train: Pictures, val: Pictures) -> list[tuple[str, str]]:
    """Names of near-duplicates, one in train and one in val."""
    names, border = (*train.names, *val.names), len(train)
    small = np.stack([thumbnail(image) for image in (*train.images, *val.images)])
    return [
        (names[first], names[second])
        for first, second, _ in near_duplicates(small)
        if first < border <= second
    ]
