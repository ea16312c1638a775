"""Sizes that a network takes, as people write them."""

from __future__ import annotations

from runtime.errors import DataError
from runtime.manifest import SIZE_MULTIPLE


def parse_size(
    text: str, multiple: int = SIZE_MULTIPLE, smallest: int = SIZE_MULTIPLE
) -> tuple[int, int]:
    """ "224" or "224x320" (height x width) -> (height, width).

    Raises DataError with the nearest valid sizes when a side is no multiple, or too small.
    """
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(
        side.isascii() and side.isdigit() and len(side) < 6 for side in sides
    ):
        raise DataError(f"size '{text}' is neither a number nor HEIGHTxWIDTH; try 224 or 224x320")
    height, width = int(sides[0]), int(sides[-1])
    for side in (height, width):
        check_side(side, multiple, smallest)
    return height, width


def check_side(side: int, multiple: int, smallest: int) -> None:
    """Raises DataError with the nearest valid sizes when a side is no multiple, or too small."""
    below = side // multiple * multiple
    if side == 0 or side != below:
        nearest = dict.fromkeys(max(smallest, valid) for valid in (below, below + multiple))
        raise DataError(
            f"size {side} is no multiple of {multiple}; nearest: {' or '.join(map(str, nearest))}"
        )
    if side < smallest:
        raise DataError(f"size {side} is too small for this network; it takes {smallest} or more")
