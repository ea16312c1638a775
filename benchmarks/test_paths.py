"""The paths side by side: the same frames, in turn, and the same masks.

Every path is a process of its own. pytest-benchmark's table shows the times that were measured in
those rounds; the fuller table comes at the end.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from benchmarks.conftest import Record
from benchmarks.contestants import CONTESTANTS
from runtime.sizes import parse_size

SIZES = os.environ.get("FLOOD_SIZES", "224x224,384x640").split(",")
BATCHES = [int(number) for number in os.environ.get("FLOOD_BATCHES", "1,4").split(",")]
INT8_AGAINST_EAGER = 5.0
FULL_WIDTH = 1.0


class Clock:
    """A clock that moves by what was measured elsewhere."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


CLOCK = Clock()


@pytest.mark.benchmark(timer=CLOCK)
@pytest.mark.parametrize("position", range(len(CONTESTANTS)), ids=[e.name for e in CONTESTANTS])
@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("size", SIZES)
def test_a_path_gives_the_masks_of_pytorch(
    benchmark: Any, record: Record, size: str, batch: int, position: int
) -> None:
    benchmark.group = f"{size}, batch {batch}"
    shape = record.shape(parse_size(size), batch)
    row = shape.rows[position]
    if row.missing:
        pytest.skip(f"{row.path}: {row.missing}")
    if row.ms:
        seconds = iter([0.001 * ms for ms in row.ms] + [0.0])
        turns = len(row.ms)
        benchmark.pedantic(
            CLOCK.advance, setup=lambda: ((next(seconds),), {}), rounds=turns, iterations=1
        )
        benchmark.extra_info.update(row.parity, backend=row.backend, memory_mb=row.memory_mb)
    assert not row.wrong, row.wrong


def test_int8_is_worth_it(benchmark: Any, record: Record) -> None:
    """The best INT8 path against PyTorch as it comes, at the first size, one frame."""
    shape = benchmark.pedantic(record.shape, (parse_size(SIZES[0]), BATCHES[0]), rounds=1)
    gains = {row.path: shape.times_faster(row) for row in shape.timed if row.precision == "int8"}
    if not gains or record.entry.manifest.width < FULL_WIDTH:
        pytest.skip("promised for the published width; FLOOD_EXPORTS names a network that has it")
    assert max(gains.values()) >= INT8_AGAINST_EAGER, gains
