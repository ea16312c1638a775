"""No output may take the place of an input, or of another output."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path

from runtime.errors import SinkError
from runtime.sinks import Outputs


def refuse_overlaps(inputs: Sequence[Path], outputs: Iterable[Outputs]) -> None:
    """Raises SinkError, before anything is opened, where writing would destroy one of the files
    that are read, or two outputs would write one file. Links count as what they lead to."""
    written = [
        (option, path)
        for each in outputs
        for option, path in each.by_option.items()
        if not path.is_char_device()  # terminals and /dev/null take everything
    ]
    for one, other in combinations(written, 2):
        if _meet(*one, other[1]) or _meet(*other, one[1]):
            raise SinkError(
                f"{one[0]} {one[1]} and {other[0]} {other[1]} would write the same file; "
                "name two that differ"
            )
    places = {_place(file): file for file in inputs}
    pictures = {_place(file.parent): file for file in inputs if file.suffix == ".png"}
    for option, path in written:
        places_read = places if option != "--masks" else {**places, **pictures}
        if (file := places_read.get(_place(path))) is not None:
            raise SinkError(
                f"{option} {path} would overwrite {file}, which is to be read; name another place"
            )


def _meet(option: str, path: Path, other: Path) -> bool:
    """Whether an output writes another path: itself, a mask, or where it keeps full files."""
    if _place(path) == _place(other):
        return True
    if option == "--masks":
        return other.suffix == ".png" and _place(path) == _place(other.parent)
    kept = re.fullmatch(rf"{re.escape(path.name)}\.\d+", other.name)
    return kept is not None and _place(path.parent) == _place(other.parent)


def _place(path: Path) -> tuple[int, int] | str:
    """Equal for two names of one file: its device and number, or where it would be."""
    try:
        found = path.stat()
    except OSError:
        return os.path.realpath(path)
    return found.st_dev, found.st_ino
