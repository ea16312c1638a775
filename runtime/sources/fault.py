"""What a container says of its own wholeness: the answer of each module that reads one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Fault:
    """kind: it lacks its end, or bytes in its middle. pictures: how many begin before that, where
    the container counts them."""

    kind: Literal["cut", "damaged"]
    pictures: int | None = None


CUT, DAMAGED = Fault("cut"), Fault("damaged")
