"""Which photographs show one scene: copies, re-encoded or recoloured, crops, flips, turned ones.

A perceptual hash proposes (every picture against crops of every other, in eight orientations),
a registration decides: two pictures are near-duplicates when an affine map lays the fine structure
of one onto the other. Found are crops that keep about half of each side or more. Not found: the
same place from another viewpoint, smaller crops, and pictures almost without structure.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.images import read_picture
from train.groups import connected
from train.hashing import Proposal, proposals, shrink, turned
from train.registration import SIDE, agreement_of, fine_structure
from train.threads import in_parallel

THUMBNAIL = 128
"""Side of the square that every picture is squeezed into, whatever its shape."""
SAME_SCENE = 0.75
"""Least correlation of fine structure. On real photographs of floods, pairs of one scene have 0.87
or more and the likest strangers 0.62."""

Match = tuple[int, int, float]


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
    grey = [cv2.cvtColor(shrink(small, SIDE), cv2.COLOR_RGB2GRAY) for small in thumbnails]
    structure = [fine_structure(picture) for picture in grey]

    def decide(proposal: Proposal) -> Match:
        first, second, window, orientation = proposal
        if cv2.absdiff(grey[first], grey[second]).mean() < 1:
            agreement = 1.0
        else:
            template = turned(structure[second], orientation)
            agreement = agreement_of(structure[first], template, window)
        return min(first, second), max(first, second), agreement

    matches = in_parallel(decide, proposals(grey), "laying pictures over each other")
    return sorted(match for match in matches if match[2] >= SAME_SCENE)
