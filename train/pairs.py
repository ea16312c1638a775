"""Which photograph belongs to which mask, found in a folder or read from a CSV."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from runtime.console import say
from runtime.errors import DataError
from runtime.files import sha256
from train.data_folder import (
    IMAGE_FOLDER,
    MASK_FOLDER,
    READABLE,
    WHERE_TO_GET,
    check_layout,
    check_stems,
    metadata,
    named,
    pictures_in,
    tell_others,
)
from train.pair_table import check_rows, read_table

FLOOD_AREA = Path(__file__).with_name("flood_area.csv")
"""What is known of 286 pairs of that data set: pairing, scenes, splits, faults. Four pictures of
the full download stand in no row (nobody knows what they duplicate), so they are left out."""


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
    and without that equal stems. What is left out is named on stderr: files that are not read, rows
    whose image is missing, pictures in no row, masks of no picture. Raises DataError.
    """
    check_layout(folder)
    tell_others(folder)
    if table is None and is_flood_area(folder):
        table = FLOOD_AREA
        say(f"{folder} is the Flood Area data set: pairs, groups and splits from {table.name}")
    if table is None:
        table = metadata(folder)
    pairs = _pairs_by_stem(folder) if table is None else _pairs_by_table(folder, table)
    if not pairs:
        raise DataError(
            f"{folder / IMAGE_FOLDER} holds no usable pictures ({READABLE}); {WHERE_TO_GET}"
        )
    return pairs


def is_flood_area(folder: Path) -> bool:
    """Whether the names in Image/ are those of the Flood Area data set, a few more or fewer."""
    known = {row["Image"] for row in read_table(FLOOD_AREA)}
    names = {path.name for path in pictures_in(folder / IMAGE_FOLDER)}
    return len(names & known) >= 0.75 * len(names | known)


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
    images, masks = pictures_in(folder / IMAGE_FOLDER), pictures_in(folder / MASK_FOLDER)
    check_stems(images)
    check_stems(masks)
    mask_of = {mask.stem: mask for mask in masks}
    if lonely := [image for image in images if image.stem not in mask_of]:
        raise _no_mask(lonely[0], folder / MASK_FOLDER / f"{lonely[0].stem}.png", len(lonely))
    if spare := sorted(set(mask_of) - {image.stem for image in images}):
        names = named([mask_of[stem].name for stem in spare])
        say(f"masks of no picture in {folder / IMAGE_FOLDER}, left out: {names}")
    return [Pair(image=image, mask=mask_of[image.stem]) for image in images]


def _pairs_by_table(folder: Path, table: Path) -> list[Pair]:
    rows = read_table(table)
    check_rows(rows, table)
    pairs: list[Pair] = []
    for row in rows:
        image, mask = folder / IMAGE_FOLDER / row["Image"], folder / MASK_FOLDER / row["Mask"]
        if image.is_file() and not mask.is_file():
            raise _no_mask(image, mask, 1)
        if image.is_file():
            group, split = row.get("group") or None, row.get("split") or None
            pairs.append(Pair(image=image, mask=mask, group=group, split=split))
    there = {image.name for image in pictures_in(folder / IMAGE_FOLDER)}
    if rows and there and not pairs:
        raise DataError(
            f"none of the {len(rows)} rows of {table} names a picture in {folder / IMAGE_FOLDER}: "
            f"the first row says '{rows[0]['Image']}', the first picture is called "
            f"'{min(there)}'; wanted the files' names with their suffix, without folders"
        )
    unnamed = sorted(there - {row["Image"] for row in rows})
    if len(pairs) < len(rows) or unnamed:
        names = f": {named(unnamed)}" if unnamed else ""
        say(
            f"{table.name}: {len(pairs)} of {len(rows)} rows have files here, the others are "
            f"left out; {len(unnamed)} pictures stand in no row{names}"
        )
    return pairs


def _no_mask(image: Path, mask: Path, count: int) -> DataError:
    others = f" (and {count - 1} more pictures)" if count > 1 else ""
    return DataError(
        f"{image}{others} has no mask; wanted {mask}: add the mask, or remove the picture"
    )
