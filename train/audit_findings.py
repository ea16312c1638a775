"""What can be wrong with a data set: the kinds of findings, and what to do about each."""

from __future__ import annotations

from dataclasses import dataclass

from train.splits import SPLITS

WRONG = {
    "unreadable": "damaged, truncated or not a picture: replace or remove it",
    "no-mask": "a photograph without a mask: add the mask, or remove the picture",
    "no-pairs": "nothing to train on: check the table and the names in it",
    "same-stem": "which is meant? Remove all but one, or say the pairs in a CSV",
    "mask-levels": "not black, yet nothing is above grey 127: water must be 255",
    "repeated-row": "one photograph in several rows: keep one",
    "bad-split": f"wanted {', '.join(SPLITS)}, in every row or in none",
    "split-leak": "one scene in several splits: scores would be too good",
    "swapped": "masks lie with the wrong photographs: swap them in the table",
}
"""Kinds that make training wrong, and what to do."""
SUSPICIOUS = {
    "maybe-swapped": "masks that may lie with the wrong photographs: look",
    "size": "image and mask differ in size: the mask is stretched to its image",
    "duplicate": "the same pixels: one scene, counted more than once",
    "near-duplicate": "one scene: kept in one split where no split is given and there are others",
    "empty-mask": "no water at all: right?",
    "full-mask": "water everywhere: right?",
    "grey-mask": "grey levels between land and water: above 127 counts as water",
    "not-read": "no format that is read: left out of training; convert it, or remove it",
    "suffix": "named as another format: read by its content",
    "mode": "palette, alpha, grey or other: made RGB (a mask grey), alpha dropped",
    "row-without-files": "left out of training",
    "file-without-row": "left out of training",
}
"""Kinds that training copes with, and what it does."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing of one kind about some files. score: of a suspicion, higher is worse."""

    kind: str
    files: tuple[str, ...]
    detail: str
    score: float | None = None

    @property
    def wrong(self) -> bool:
        """Whether it makes training wrong."""
        return self.kind in WRONG
