"""What is wrong with single files and rows of a data set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from train.audit_files import Inventory, Row
from train.audit_findings import Finding
from train.audit_pictures import Mask, Picture

_SUFFIXES = {
    "JPEG": {".jpg", ".jpeg"},
    "MPO": {".jpg", ".jpeg"},
    "PNG": {".png"},
    "WEBP": {".webp"},
    "BMP": {".bmp"},
    "TIFF": {".tif", ".tiff"},
}


def about_rows(inventory: Inventory) -> Iterator[Finding]:
    places: dict[Path, list[Row]] = defaultdict(list)
    for row in inventory.rows:
        if row.image is None:
            detail = "no image" if row.mask else "neither image nor mask"
            yield Finding(kind="row-without-files", files=(row.name,), detail=detail)
            continue
        places[row.image].append(row)
        if row.mask is None:
            yield Finding(kind="no-mask", files=(row.name,), detail="no mask")
    for rows in places.values():
        if len(rows) > 1:
            masks = ", ".join(row.mask.name for row in rows if row.mask)
            yield Finding(kind="repeated-row", files=(rows[0].name,), detail=f"masks {masks}")
    for path in inventory.unnamed:
        yield Finding(kind="file-without-row", files=(_short(path),), detail="stands in no row")
    for paths in inventory.alike:
        files = tuple(_short(path) for path in paths)
        yield Finding(kind="same-stem", files=files, detail=f"one stem, '{paths[0].stem}'")
    for path in inventory.others:
        detail = f"suffix '{path.suffix}'" if path.is_file() else "no file"
        yield Finding(kind="not-read", files=(_short(path),), detail=detail)
    if not any(row.image and row.mask for row in inventory.rows):
        yield Finding(kind="no-pairs", files=(), detail=f"{len(inventory.rows)} rows")


def about_files(inventory: Inventory) -> Iterator[Finding]:
    for path, reason in inventory.unreadable.items():
        yield Finding(kind="unreadable", files=(_short(path),), detail=reason)
    entries: list[Picture | Mask] = [*inventory.images.values(), *inventory.masks.values()]
    for entry in entries:
        name = (_short(entry.path),)
        if entry.path.suffix.lower() not in _SUFFIXES.get(entry.format, set()):
            yield Finding(kind="suffix", files=name, detail=f"is {entry.format}")
        plain = ("RGB",) if isinstance(entry, Picture) else ("L", "1")
        if entry.mode not in plain:
            yield Finding(kind="mode", files=name, detail=f"mode {entry.mode}")


def about_masks(inventory: Inventory) -> Iterator[Finding]:
    for mask in inventory.masks.values():
        name = (_short(mask.path),)
        low, high = mask.levels
        if mask.water == 0 and high > 0:
            kind, detail = "mask-levels", f"grey levels {low} to {high}"
        elif mask.water == 0:
            kind, detail = "empty-mask", "all black"
        elif mask.water == 1:
            kind, detail = "full-mask", f"grey levels {low} to {high}"
        elif mask.between > 0:
            kind, detail = "grey-mask", f"{mask.between:.2%} of the pixels"
        else:
            continue
        yield Finding(kind=kind, files=name, detail=detail)


def _short(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
