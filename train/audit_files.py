"""What each file of a data set is, found by decoding it once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from runtime.errors import DataError
from runtime.files import sha256
from runtime.images import read_grey, read_picture
from train import swaps
from train.dataset import MASK_THRESHOLD
from train.duplicates import in_parallel, thumbnail
from train.pairs import (
    IMAGE_FOLDER,
    MASK_FOLDER,
    check_layout,
    metadata,
    pictures_in,
    read_table,
)

_BETWEEN = (8, 247)
"""Grey levels between these are neither land nor water, even after lossy compression."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What the table, or the equal stem, puts together; None: a file that is not there."""

    name: str
    image: Path | None
    mask: Path | None
    group: str | None = None
    split: str | None = None


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A decoded photograph. size: (height, width), upright. content, pixels: SHA-256 of the file
    and of what it decodes to. small: its thumbnail."""

    path: Path
    format: str
    mode: str
    size: tuple[int, int]
    content: str
    pixels: str
    small: NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Mask:
    """A decoded mask. water: share above the threshold. between: share of grey levels that are
    neither black nor white. levels: lowest and highest. small: water share, see train.swaps."""

    path: Path
    format: str
    mode: str
    size: tuple[int, int]
    water: float
    between: float
    levels: tuple[int, int]
    small: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """A data set as it lies there. rows: in the natural order of the images' names. images and
    masks: by path; unreadable: path and reason; unnamed: files that stand in no row."""

    rows: list[Row]
    images: dict[Path, Picture]
    masks: dict[Path, Mask]
    unreadable: dict[Path, str]
    unnamed: list[Path]


def take_inventory(folder: Path, table: Path | None) -> Inventory:
    """Reads every file once, in parallel. table: as for find_pairs, but without one the folder
    counts as it came, whatever is known of it. Raises DataError for a folder or table that cannot
    be read at all."""
    check_layout(folder)
    rows = _rows(folder, table or metadata(folder))
    image_paths = list(dict.fromkeys(row.image for row in rows if row.image))
    mask_paths = list(dict.fromkeys(row.mask for row in rows if row.mask))
    tasks = [(_look_at_image, path) for path in image_paths]
    tasks += [(_look_at_mask, path) for path in mask_paths]
    found = in_parallel(lambda task: task[0](task[1]), tasks, "reading files")
    named = {*image_paths, *mask_paths}
    files = [*pictures_in(folder / IMAGE_FOLDER), *pictures_in(folder / MASK_FOLDER)]
    return Inventory(
        rows=rows,
        images={entry.path: entry for entry in found if isinstance(entry, Picture)},
        masks={entry.path: entry for entry in found if isinstance(entry, Mask)},
        unreadable={entry[0]: entry[1] for entry in found if isinstance(entry, tuple)},
        unnamed=[path for path in files if path not in named],
    )


def _rows(folder: Path, table: Path | None) -> list[Row]:
    if table is None:
        images = {path.stem: path for path in pictures_in(folder / IMAGE_FOLDER)}
        masks = {path.stem: path for path in pictures_in(folder / MASK_FOLDER)}
        rows = [
            Row(name=image.name, image=image, mask=masks.get(stem))
            for stem, image in images.items()
        ]
    else:
        rows = [
            Row(
                name=row["Image"],
                image=_there(folder / IMAGE_FOLDER / row["Image"]),
                mask=_there(folder / MASK_FOLDER / row["Mask"]),
                group=row.get("group") or None,
                split=row.get("split") or None,
            )
            for row in read_table(table)
        ]
    return sorted(rows, key=lambda row: (len(Path(row.name).stem), row.name))


def _there(path: Path) -> Path | None:
    return path if path.is_file() else None


def _look_at_image(path: Path) -> Picture | tuple[Path, str]:
    try:
        kind, mode = _header(path)
        image = read_picture(path)
    except (DataError, OSError) as error:
        return path, str(error)
    return Picture(
        path=path,
        format=kind,
        mode=mode,
        size=image.shape[:2],
        content=sha256(path),
        pixels=hashlib.sha256(f"{image.shape}".encode() + image.tobytes()).hexdigest(),
        small=thumbnail(image),
    )


def _look_at_mask(path: Path) -> Mask | tuple[Path, str]:
    try:
        kind, mode = _header(path)
        grey = read_grey(path)
    except (DataError, OSError) as error:
        return path, str(error)
    water = (grey > MASK_THRESHOLD).astype(np.float32)
    low, high = _BETWEEN
    return Mask(
        path=path,
        format=kind,
        mode=mode,
        size=grey.shape,
        water=float(water.mean()),
        between=float(((grey > low) & (grey < high)).mean()),
        levels=(int(grey.min()), int(grey.max())),
        small=cv2.resize(water, (swaps.SIDE, swaps.SIDE), interpolation=cv2.INTER_AREA),
    )


def _header(path: Path) -> tuple[str, str]:
    """Format and mode as the file says, before anything is converted."""
    try:
        with Image.open(path) as picture:
            return picture.format or "?", picture.mode
    except (Image.UnidentifiedImageError, SyntaxError, ValueError):
        raise DataError(f"{path} is not a picture, or damaged: replace or remove it") from None
    except Image.DecompressionBombError as error:
        raise DataError(f"{path} is too large ({error}): make it smaller") from error
