"""Sizes that a network takes, and sizes as people write them."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.errors import DataError

LARGEST = 1 << 14
"""Pixels of a side; beyond that a damaged number would only fill the memory."""


@dataclass(frozen=True, kw_only=True)
class SizeRule:
    """Which sides of an input a network takes, in pixels: multiples of `multiple`, from `smallest`,
    which is one of them, up to LARGEST."""

    multiple: int = 16
    smallest: int = 16

    def takes(self, side: int) -> bool:
        return side % self.multiple == 0 and self.smallest <= side <= LARGEST

    def fitting(self, side: int) -> int:
        """The nearest side that the network takes and that is not smaller."""
        return max(self.smallest, -(-side // self.multiple) * self.multiple)

    def checked(self, size: tuple[int, int]) -> tuple[int, int]:
        """The (height, width) that came. Raises DataError, with the two nearest valid sides, for a
        side that the network does not take."""
        for side in size:
            if not self.takes(side):
                raise DataError(f"size {side} is {self._fault(side)}; nearest: {self._near(side)}")
        return size

    def _fault(self, side: int) -> str:
        if side % self.multiple:
            return f"no multiple of {self.multiple}"
        return f"too {'small' if side < self.smallest else 'large'} for this network"

    def _near(self, side: int) -> str:
        last = LARGEST // self.multiple * self.multiple
        below = max(self.smallest, min(side // self.multiple * self.multiple, last - self.multiple))
        return f"{below} or {below + self.multiple}"


def parse_size(text: str) -> tuple[int, int]:
    """ "224" or "224x320" (height x width) -> (height, width), any numbers. Raises DataError."""
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(
        side.isascii() and side.isdigit() and len(side) < 6 for side in sides
    ):
        raise DataError(f"size '{text}' is neither a number nor HEIGHTxWIDTH; try 224 or 224x320")
    return int(sides[0]), int(sides[-1])
