"""Which photograph belongs to which mask, found in a folder or read from a CSV."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from runtime.console import say
from runtime.errors import DataError
from runtime.files import sha256
from runtime.images import PICTURE_SUFFIXES

IMAGE_FOLDER, MASK_FOLDER = "Image", "Mask"
METADATA = "metadata.csv"
FLOOD_AREA = Path(__file__).with_name("flood_area.csv")
"""What is known of 286 pairs of that data set: pairing, scenes, splits, faults. Four pictures of
the full download stand in no row (nobody knows what they duplicate), so they are left out."""
WHERE_TO_GET = (
    "the real data set is 'Flood Area Segmentation' by Faizal Karim: "
    "https://www.kaggle.com/datasets/faizalkarim/flood-area-segmentation"
)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One photograph and its mask. Pairs of one group show one scene; no group or split: None."""

    image: Path
    mask: Path
    group: str | None = None
    split: str | None = None


def find_pairs(folder: Path, table: Path | None = None) -> list[Pair]:
    """The usable pairs of a folder with Image/ and Mask/, in a fixed order.

    table: CSV with the columns Image and Mask, and if known group and split; without one
    train/flood_area.csv where the folder is that data set, otherwise the folder's metadata.csv,
    and without that equal stems. Rows whose image is missing are left out and counted in one line
    on stderr. Raises DataError.
    """
    check_layout(folder)
    if table is None and is_flood_area(folder):
        table = FLOOD_AREA
        say(f"{folder} is the Flood Area data set: pairs, groups and splits from {table.name}")
    if table is None:
        table = metadata(folder)
    pairs = _pairs_by_stem(folder) if table is None else _pairs_by_table(folder, table)
    if not pairs:
        raise DataError(
            f"{folder / IMAGE_FOLDER} holds no usable pictures "
            f"({', '.join(sorted(PICTURE_SUFFIXES))}); {WHERE_TO_GET}"
        )
    return pairs


def check_layout(folder: Path) -> None:
    """Raises DataError unless the folder holds Image/ and Mask/."""
    for wanted in (folder, folder / IMAGE_FOLDER, folder / MASK_FOLDER):
        if not wanted.is_dir():
            raise DataError(
                f"no such data folder: {wanted}; wanted a folder that holds "
                f"{IMAGE_FOLDER}/ and {MASK_FOLDER}/; {WHERE_TO_GET}"
            )


def is_flood_area(folder: Path) -> bool:
    """Whether the names in Image/ are those of the Flood Area data set, a few more or fewer."""
    known = {row["Image"] for row in read_table(FLOOD_AREA)}
    names = {path.name for path in pictures_in(folder / IMAGE_FOLDER)}
    return len(names & known) >= 0.75 * len(names | known)


def metadata(folder: Path) -> Path | None:
    """The table of pairs that came with the folder, if one did."""
    return folder / METADATA if (folder / METADATA).is_file() else None


def fingerprint(pairs: Iterable[Pair]) -> str:
    """SHA-256 over the names and contents of all images and masks, whatever their order."""
    ordered = sorted(pairs, key=lambda pair: (pair.image.name, pair.mask.name))
    files = [file for pair in ordered for file in (pair.image, pair.mask)]
    digest = hashlib.sha256()
    with ThreadPoolExecutor() as pool:
        for file, content in zip(files, pool.map(sha256, files), strict=True):
            digest.update(f"{file.name}\0{content}\n".encode())
    return digest.hexdigest()


def _pairs_by_stem(folder: Path) -> list[Pair]:
    masks = {path.stem: path for path in pictures_in(folder / MASK_FOLDER)}
    images = pictures_in(folder / IMAGE_FOLDER)
    if lonely := [image for image in images if image.stem not in masks]:
        raise _no_mask(lonely[0], folder / MASK_FOLDER / f"{lonely[0].stem}.png", len(lonely))
    return [Pair(image=image, mask=masks[image.stem]) for image in images]


def _pairs_by_table(folder: Path, table: Path) -> list[Pair]:
    rows = read_table(table)
    pairs: list[Pair] = []
    for row in rows:
        image, mask = folder / IMAGE_FOLDER / row["Image"], folder / MASK_FOLDER / row["Mask"]
        if image.is_file() and not mask.is_file():
            raise _no_mask(image, mask, 1)
        if image.is_file():
            group, split = row.get("group") or None, row.get("split") or None
            pairs.append(Pair(image=image, mask=mask, group=group, split=split))
    unnamed = {image.name for image in pictures_in(folder / IMAGE_FOLDER)} - {
        row["Image"] for row in rows
    }
    if len(pairs) < len(rows) or unnamed:
        say(
            f"{table.name}: {len(pairs)} of {len(rows)} rows have files here, the others are "
            f"left out; {len(unnamed)} pictures stand in no row"
        )
    return pairs


def read_table(table: Path) -> list[dict[str, str]]:
    """The rows of a CSV that has the columns Image and Mask, both filled in. Raises DataError."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            rows = [
                {key: (value or "").strip() for key, value in row.items() if key} for row in reader
            ]
            columns = reader.fieldnames or []
    except FileNotFoundError:
        raise DataError(f"no such table of pairs: {table}; check --pairs") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {table} as CSV ({error}); save it as UTF-8 text") from error
    if missing := [column for column in ("Image", "Mask") if column not in columns]:
        raise DataError(
            f"{table} has no column '{missing[0]}' (it has: {', '.join(columns) or 'nothing'}); "
            "wanted Image and Mask, and if known group and split"
        )
    for line, row in enumerate(rows, start=2):
        if not row["Image"] or not row["Mask"]:
            raise DataError(f"{table} line {line} names no image or no mask; fill in both names")
    return rows


def pictures_in(folder: Path) -> list[Path]:
    """The files of a folder that look like pictures, sorted by name; hidden ones are left out."""
    found = [path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES]
    return sorted(path for path in found if not path.name.startswith("."))


def _no_mask(image: Path, mask: Path, count: int) -> DataError:
    others = f" (and {count - 1} more pictures)" if count > 1 else ""
    return DataError(
        f"{image}{others} has no mask; wanted {mask}: add the mask, or remove the picture"
    )
