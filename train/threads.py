"""Work that threads share, behind a progress bar."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from rich.progress import track

from train.console import console, quiet

T = TypeVar("T")
R = TypeVar("R")


def in_parallel(task: Callable[[T], R], items: Sequence[T], title: str) -> list[R]:
    """The task's results in the order of the items, from one thread per core, behind a bar."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(task, items)
        return list(
            track(results, title, total=len(items), console=console, transient=True, disable=quiet)
        )
