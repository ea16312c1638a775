"""The files of a data folder: Image/ and Mask/, and what lies in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from runtime.console import say
from runtime.errors import DataError
from runtime.images import PICTURE_SUFFIXES
from runtime.sources.pictures import is_picture

IMAGE_FOLDER, MASK_FOLDER = "Image", "Mask"
METADATA = "metadata.csv"
WHERE_TO_GET = (
    "the real data set is 'Flood Area Segmentation' by Faizal Karim: "
    "https://www.kaggle.com/datasets/faizalkarim/flood-area-segmentation"
)
READABLE = ", ".join(sorted(PICTURE_SUFFIXES))
SHOWN = 3
"""Files that a line names; the others are counted."""


def check_layout(folder: Path) -> None:
    """Raises DataError unless the folder holds Image/ and Mask/."""
    for wanted in (folder, folder / IMAGE_FOLDER, folder / MASK_FOLDER):
        if not wanted.is_dir():
            raise DataError(
                f"no such data folder: {wanted}; wanted a folder that holds "
                f"{IMAGE_FOLDER}/ and {MASK_FOLDER}/; {WHERE_TO_GET}"
            )


def metadata(folder: Path) -> Path | None:
    """The table of pairs that came with the folder, if one did."""
    return folder / METADATA if (folder / METADATA).is_file() else None


def pictures_in(folder: Path) -> list[Path]:
    """The files of a folder that look like pictures, sorted by name; hidden ones are left out."""
    return sorted(path for path in folder.iterdir() if is_picture(path))


def others_in(folder: Path) -> list[Path]:
    """The files and folders that pictures_in leaves out, but for hidden ones, sorted by name."""
    others = [path for path in folder.iterdir() if not is_picture(path)]
    return sorted(path for path in others if not path.name.startswith("."))


def tell_others(folder: Path) -> None:
    """One line on stderr for what is left out of Image/ and Mask/ because it cannot be read."""
    others = others_in(folder / IMAGE_FOLDER) + others_in(folder / MASK_FOLDER)
    if others:
        names = named([f"{path.parent.name}/{path.name}" for path in others])
        say(f"left out of {folder}, because only {READABLE} are read: {names}")


def check_stems(pictures: Sequence[Path]) -> None:
    """Raises DataError where two pictures of a folder differ in their suffix alone."""
    counts = Counter(path.stem for path in pictures)
    twins = [path.name for path in pictures if counts[path.stem] > 1]
    if twins:
        raise DataError(
            f"{pictures[0].parent} holds several pictures of one stem ({named(twins)}), and pairs "
            "are made by stems; remove all but one, or say the pairs in a CSV with --pairs"
        )


def named(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
