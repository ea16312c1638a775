"""A data set as it lies there: its rows, and what each of its files is."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from train.audit_pictures import Mask, Picture, look_at_image, look_at_mask
from train.data_folder import (
    IMAGE_FOLDER,
    MASK_FOLDER,
    check_layout,
    metadata,
    others_in,
    pictures_in,
)
from train.pair_table import read_table
from train.threads import in_parallel


@dataclass(frozen=True, kw_only=True)
class Row:
    """What the table, or the equal stem, puts together; None: a file that is not there."""

    name: str
    image: Path | None
    mask: Path | None
    group: str | None = None
    split: str | None = None


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """A data set as it lies there. rows: in the natural order of the images' names. images and
    masks: by path; unreadable: path and reason; unnamed: files that stand in no row; alike: files
    of one stem where stems make the pairs; others: files that are not read, whatever they hold."""

    rows: list[Row]
    images: dict[Path, Picture]
    masks: dict[Path, Mask]
    unreadable: dict[Path, str]
    unnamed: list[Path]
    alike: list[list[Path]]
    others: list[Path]


def take_inventory(folder: Path, table: Path | None) -> Inventory:
    """Reads every file once, in parallel. table: as for find_pairs, but without one the folder
    counts as it came, whatever is known of it. Raises DataError for a folder or table that cannot
    be read at all."""
    check_layout(folder)
    table = table or metadata(folder)
    rows = _rows(folder, table)
    image_paths = list(dict.fromkeys(row.image for row in rows if row.image))
    mask_paths = list(dict.fromkeys(row.mask for row in rows if row.mask))
    tasks = [(look_at_image, path) for path in image_paths]
    tasks += [(look_at_mask, path) for path in mask_paths]
    found = in_parallel(lambda task: task[0](task[1]), tasks, "reading files")
    named = {*image_paths, *mask_paths}
    folders = (folder / IMAGE_FOLDER, folder / MASK_FOLDER)
    alike = [files for each in folders for files in _alike(each)] if table is None else []
    paired = named.union(*alike)
    return Inventory(
        rows=rows,
        images={entry.path: entry for entry in found if isinstance(entry, Picture)},
        masks={entry.path: entry for entry in found if isinstance(entry, Mask)},
        unreadable={entry[0]: entry[1] for entry in found if isinstance(entry, tuple)},
        unnamed=[path for each in folders for path in pictures_in(each) if path not in paired],
        alike=alike,
        others=[path for each in folders for path in others_in(each)],
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


def _alike(folder: Path) -> list[list[Path]]:
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for path in pictures_in(folder):
        by_stem[path.stem].append(path)
    return [paths for paths in by_stem.values() if len(paths) > 1]


def _there(path: Path) -> Path | None:
    return path if path.is_file() else None
