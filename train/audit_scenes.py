"""What is wrong between the files of a data set: scenes shown twice, masks mixed up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from train.audit_files import Inventory, Row
from train.audit_findings import Finding
from train.audit_pictures import Mask, Picture
from train.duplicates import near_duplicates
from train.groups import connected, joined
from train.splits import SPLITS
from train.swaps import NEARLY_CERTAIN, Swap, suspected_swaps

Scenes = dict[Path, int]
"""The number of the scene that each readable image shows."""


def find_scenes(inventory: Inventory) -> Scenes:
    pictures = list(inventory.images.values())
    if not pictures:
        return {}
    matches = near_duplicates(np.stack([picture.small for picture in pictures]))
    links = [(first, second) for first, second, _ in matches]
    first_with: dict[str, int] = {}
    for index, picture in enumerate(pictures):
        links.append((first_with.setdefault(picture.pixels, index), index))
    groups = connected(len(pictures), links)
    return {pictures[member].path: scene for scene, group in enumerate(groups) for member in group}


def about_sizes(inventory: Inventory, scenes: Scenes) -> Iterator[Finding]:
    pairs = _readable(inventory)
    for _, image, mask in pairs:
        if image.size == mask.size:
            continue
        twins = [
            other.path.name
            for _, other, _ in pairs
            if other.size == mask.size and scenes[other.path] == scenes[image.path]
        ]
        hint = f"; the size of its near-duplicate {twins[0]}" if twins else ""
        detail = f"image {_by(image.size)}, mask {_by(mask.size)}{hint}"
        yield Finding(kind="size", files=(image.path.name, mask.path.name), detail=detail)


def about_duplicates(inventory: Inventory, scenes: Scenes) -> Iterator[Finding]:
    mask_of = {image.path: mask for _, image, mask in _readable(inventory)}
    by_scene: dict[int, list[Picture]] = defaultdict(list)
    for path, picture in inventory.images.items():
        by_scene[scenes[path]].append(picture)
    for members in by_scene.values():
        by_pixels: dict[str, list[Picture]] = defaultdict(list)
        for picture in members:
            by_pixels[picture.pixels].append(picture)
        for equal in by_pixels.values():
            if len(equal) > 1:
                same = len({picture.content for picture in equal}) == 1
                detail = "identical bytes" if same else "identical pixels in different files"
                masks = [mask_of[entry.path] for entry in equal if entry.path in mask_of]
                detail += f", masks {_agreement(masks)}" if len(masks) > 1 else ""
                yield Finding(kind="duplicate", files=_names(equal), detail=detail)
        if len(by_pixels) > 1:
            yield Finding(kind="near-duplicate", files=_names(members), detail="one scene")


def about_splits(inventory: Inventory, scenes: Scenes) -> Iterator[Finding]:
    rows = [row for row in inventory.rows if row.image in scenes]
    if not any(row.split for row in rows):
        return
    for row in rows:
        if row.split not in SPLITS:
            yield Finding(kind="bad-split", files=(row.name,), detail=f"split '{row.split or ''}'")
    for group in joined([scenes[row.image] for row in rows], [row.group for row in rows]):
        together = [rows[index] for index in group]
        if len({row.split for row in together}) > 1:
            detail = ", ".join(f"{row.name} {row.split or '?'}" for row in together)
            yield Finding(
                kind="split-leak", files=tuple(row.name for row in together), detail=detail
            )


def about_swaps(inventory: Inventory, scenes: Scenes) -> Iterator[Finding]:
    pairs = [pair for pair in _readable(inventory) if 0.002 < pair[2].water < 0.998]
    if len(pairs) < 2:
        return
    swaps = suspected_swaps(
        np.stack([image.small for _, image, _ in pairs]),
        np.stack([mask.small for _, _, mask in pairs]),
        [scenes[image.path] for _, image, _ in pairs],
    )
    for swap in swaps:
        yield _mix_up(swap, [pair[1] for pair in pairs], [pair[2] for pair in pairs])


def _mix_up(swap: Swap, all_images: Sequence[Picture], all_masks: Sequence[Mask]) -> Finding:
    images = [all_images[member] for member in swap.members]
    given = [all_masks[member] for member in swap.members]
    fitting = [*given[1:], given[0]]
    sizes = [image.size for image in images]
    sizes_say_so = sizes == [mask.size for mask in fitting] != [mask.size for mask in given]
    moves = ", ".join(
        f"{image.path.name} fits {mask.path.name}"
        for image, mask in zip(images, fitting, strict=True)
    )
    return Finding(
        kind="swapped" if sizes_say_so or swap.score >= NEARLY_CERTAIN else "maybe-swapped",
        files=_names(images),
        detail=moves + ("; so do the sizes" if sizes_say_so else ""),
        score=round(swap.score, 3),
    )


def _readable(inventory: Inventory) -> list[tuple[Row, Picture, Mask]]:
    """The rows whose image and mask could both be read, each image once."""
    pairs = {}
    for row in inventory.rows:
        if row.image in inventory.images and row.mask in inventory.masks:
            pairs.setdefault(
                row.image, (row, inventory.images[row.image], inventory.masks[row.mask])
            )
    return list(pairs.values())


def _agreement(masks: Sequence[Mask]) -> str:
    """How far the masks of equal pictures agree, as IoU of the least alike two."""
    water = [mask.small > 0.5 for mask in masks]
    overlaps = [
        float((first & second).sum() / max(1, (first | second).sum()))
        for index, first in enumerate(water)
        for second in water[index + 1 :]
    ]
    return f"agree to IoU {min(overlaps):.2f}"


def _names(pictures: Sequence[Picture]) -> tuple[str, ...]:
    return tuple(picture.path.name for picture in pictures)


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
