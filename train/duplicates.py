"""Which photographs show one scene: copies, re-encoded or recoloured, crops, flips, turned ones.

A perceptual hash proposes (every picture against crops of every other, in eight orientations),
a registration decides: two pictures are near-duplicates when an affine map lays the fine structure
of one onto the other. Found are crops that keep about half of each side or more. Not found: the
same place from another viewpoint, smaller crops, and pictures almost without structure.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from runtime.images import read_picture
from train.console import console, quiet

THUMBNAIL = 128
"""Side of the square that every picture is squeezed into, whatever its shape."""
SIDE = 64
"""Side at which pictures are hashed and laid over each other."""
ORIENTATIONS = 8
CANDIDATES = 16
"""Pictures per picture that the hash may propose."""
HASH_AGREEMENT = 0.5
"""Least agreement of two hashes, (equal bits - unequal bits) / bits."""
SAME_SCENE = 0.75
"""Least correlation of fine structure. On real photographs of floods, pairs of one scene have 0.87
or more and the likest strangers 0.62."""

T = TypeVar("T")
R = TypeVar("R")
Match = tuple[int, int, float]
Window = tuple[float, float, float, float]
"""x, y, width and height as shares of the picture."""
Proposal = tuple[int, int, Window, int]
"""Cropped picture, whole picture, the crop, the orientation of the whole one."""


def scene_groups(images: Sequence[Path]) -> list[str]:
    """The scene of each picture, named after the scene's first file. Raises DataError.

    Decodes every picture once, in parallel and with a progress bar.
    """
    small = in_parallel(lambda path: thumbnail(read_picture(path)), images, "comparing pictures")
    thumbnails = np.stack(small)
    links = [(first, second) for first, second, _ in near_duplicates(thumbnails)]
    names = [""] * len(images)
    for members in connected(len(images), links):
        for member in members:
            names[member] = min(images[index].name for index in members)
    return names


def thumbnail(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(THUMBNAIL, THUMBNAIL, 3) uint8 RGB of an (H, W, 3) picture, its shape given up."""
    return cv2.resize(image, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)


def near_duplicates(thumbnails: NDArray[np.uint8]) -> list[Match]:
    """Index pairs (first < second) of one scene with their agreement, 1 for equal ones.

    thumbnails: (N, THUMBNAIL, THUMBNAIL, 3) uint8 RGB.
    """
    grey = [cv2.cvtColor(_shrink(small, SIDE), cv2.COLOR_RGB2GRAY) for small in thumbnails]
    structure = [_fine_structure(picture) for picture in grey]

    def decide(proposal: Proposal) -> Match:
        first, second, window, orientation = proposal
        if cv2.absdiff(grey[first], grey[second]).mean() < 1:
            agreement = 1.0
        else:
            template = _turned(structure[second], orientation)
            agreement = _registered(structure[first], template, window)
        return min(first, second), max(first, second), agreement

    matches = in_parallel(decide, _proposals(grey), "laying pictures over each other")
    return sorted(match for match in matches if match[2] >= SAME_SCENE)


def in_parallel(task: Callable[[T], R], items: Sequence[T], title: str) -> list[R]:
    """The task's results in the order of the items, from one thread per core, behind a bar."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(task, items)
        return list(
            track(results, title, total=len(items), console=console, transient=True, disable=quiet)
        )


def joined(*labellings: Sequence[Hashable | None]) -> list[list[int]]:
    """The groups of indices that share a label in any of the labellings; None shares with none."""
    members: dict[Hashable, list[int]] = defaultdict(list)
    for number, labels in enumerate(labellings):
        for index, label in enumerate(labels):
            if label is not None:
                members[number, label].append(index)
    links = [(indices[0], index) for indices in members.values() for index in indices[1:]]
    return connected(len(labellings[0]), links)


def connected(count: int, links: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The groups into which links join the indices 0..count-1, lone ones included."""
    home = list(range(count))

    def find(index: int) -> int:
        while home[index] != index:
            home[index] = index = home[home[index]]
        return index

    for first, second in links:
        home[find(first)] = find(second)
    groups: dict[int, list[int]] = defaultdict(list)
    for index in range(count):
        groups[find(index)].append(index)
    return sorted(groups.values())


def _windows() -> list[Window]:
    spans = [(0.0, 1.0)]
    spans += [(at * (1 - side), side) for side in (0.86, 0.72, 0.58) for at in (0, 0.5, 1)]
    return [(x, y, width, height) for y, height in spans for x, width in spans]


def _proposals(grey: list[NDArray[np.uint8]]) -> list[Proposal]:
    windows, count = _windows(), len(grey)
    whole = np.concatenate(
        [_hashes([_turned(picture, turn) for picture in grey]) for turn in range(ORIENTATIONS)]
    )

    def likest(first: int) -> list[tuple[float, Proposal]]:
        agreement = _hashes([_cut(grey[first], window) for window in windows]) @ whole.T
        window_of = agreement.argmax(0).reshape(ORIENTATIONS, count)
        by_turn = agreement.max(0).reshape(ORIENTATIONS, count)
        turn_of, score = by_turn.argmax(0), by_turn.max(0)
        score[first] = -1
        chosen = [int(second) for second in np.argsort(-score, kind="stable")[:CANDIDATES]]
        turns = [(second, int(turn_of[second])) for second in chosen]
        return [
            (float(score[second]), (first, second, windows[window_of[turn, second]], turn))
            for second, turn in turns
            if score[second] >= HASH_AGREEMENT
        ]

    best: dict[tuple[int, int], tuple[float, Proposal]] = {}
    for found in in_parallel(likest, range(count), "hashing pictures"):
        for score, proposal in found:
            key = (min(proposal[:2]), max(proposal[:2]))
            best[key] = max(best.get(key, (-1.0, proposal)), (score, proposal))
    return [proposal for _, (_, proposal) in sorted(best.items())]


def _hashes(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """pHash: the signs of the 8 x 8 lowest DCT coefficients around their median, as (N, 64) of
    +-1/8, so that a scalar product is (equal - unequal) / 64."""
    stack = np.stack([_shrink(picture, 32) for picture in pictures]).astype(np.float32)
    rows = np.arange(8)[:, None] * (np.arange(32) + 0.5)
    cosines = np.cos(np.pi / 32 * rows).astype(np.float32) * np.sqrt(2 / 32)
    cosines[0] /= np.sqrt(2)
    lowest = (cosines @ stack @ cosines.T).reshape(len(stack), 64)
    signs = lowest > np.median(lowest, axis=1, keepdims=True)
    return np.where(signs, 0.125, -0.125).astype(np.float32)


def _shrink(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)


def _cut(picture: NDArray[np.uint8], window: Window) -> NDArray[np.uint8]:
    x, y, width, height = (round(share * SIDE) for share in window)
    return picture[y : y + height, x : x + width]


def _turned(picture: NDArray[np.generic], orientation: int) -> NDArray[np.generic]:
    """One of the eight ways to flip and turn a square by right angles; 0 leaves it."""
    turned = picture.T if orientation & 4 else picture
    turned = turned[:, ::-1] if orientation & 1 else turned
    return np.ascontiguousarray(turned[::-1] if orientation & 2 else turned)


def _fine_structure(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Edges and texture at equal strength all over: light, haze and colour drop out."""
    picture = grey.astype(np.float32)
    fine, coarse = SIDE / 96, SIDE / 12
    band = cv2.GaussianBlur(picture, (0, 0), fine) - cv2.GaussianBlur(picture, (0, 0), coarse)
    strength = np.sqrt(cv2.GaussianBlur(band * band, (0, 0), coarse))
    return band / (strength + 4)


def _registered(
    picture: NDArray[np.float32], template: NDArray[np.float32], window: Window
) -> float:
    """Correlation of template and picture where they overlap, after the affine map between them
    has been refined from `window` (Evangelidis and Psarakis 2008, ECC). 0: no such map."""
    x, y, width, height = window
    start = np.array([[width, 0, x * SIDE], [0, height, y * SIDE]], np.float32)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-3)
    try:
        _, found = cv2.findTransformECC(template, picture, start, cv2.MOTION_AFFINE, stop, None, 3)
    except cv2.error:  # it did not converge: two different pictures
        return 0.0
    there = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    overlap = cv2.warpAffine(np.ones_like(picture), found, (SIDE, SIDE), flags=there) > 0
    if overlap.mean() < 0.3 or abs(np.linalg.det(found[:, :2])) < 0.15:
        return 0.0
    laid = cv2.warpAffine(
        picture, found, (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    return _correlation(template[overlap], laid[overlap])


def _correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    first, second = first - first.mean(), second - second.mean()
    power = float((first * first).sum() * (second * second).sum())
    return float((first * second).sum()) / power**0.5 if power > 0 else 0.0
