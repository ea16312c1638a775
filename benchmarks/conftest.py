"""What is timed, and where the results go.

FLOOD_EXPORTS    an export folder or artefact; default: a small network made here. Several, joined
    as in PATH, of one checkpoint at several sizes: each size takes what was exported at it
FLOOD_CHECKPOINT, FLOOD_DATA, FLOOD_PAIRS    its checkpoint; photographs in place of scenes
FLOOD_SIZES, FLOOD_BATCHES    default 224x224,384x640 and 1,4
FLOOD_PATHS    parts of names, as "CUDA,OpenVINO": only paths whose name holds one of them are
    timed, beside the reference; default: all
FLOOD_SECONDS, FLOOD_ROUNDS    of each size and batch: default 15 seconds and at least 5 rounds
FLOOD_THREADS    default: all cores that may be used
--record    keep the results in benchmarks/results/, not in .benchmarks/
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from benchmarks.contest import Plan
from benchmarks.device import device_name, load_average, versions
from benchmarks.entry import Entry
from benchmarks.environment import entry_from_environment
from benchmarks.results import FOLDER, Results, Shape, read_results, write_results
from benchmarks.small import make_entry
from benchmarks.table import show
from runtime.backends.cores import usable_cores
from runtime.errors import DataError

SCRATCH = Path(".benchmarks")
HOUR_S = 3600


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record", action="store_true", help="keep results in benchmarks/results/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.timeout(HOUR_S))


@pytest.fixture(scope="session")
def plan() -> Plan:
    environment = os.environ
    return Plan(
        seconds=float(environment.get("FLOOD_SECONDS", "15")),
        least=int(environment.get("FLOOD_ROUNDS", "5")),
        threads=int(environment.get("FLOOD_THREADS", "0")) or usable_cores(),
        paths=tuple(filter(None, environment.get("FLOOD_PATHS", "").split(","))),
    )


class Record:
    """What this session measured, part by part. home: where a small network may be made."""

    def __init__(self, plan: Plan, home: Path) -> None:
        self.plan, self._home = plan, home
        self.busy = load_average()
        self.shapes: dict[tuple[tuple[int, int], int], Shape] = {}
        self.pipeline: dict[str, Any] = {}
        self.peers: dict[str, Any] = {}
        self.training: dict[str, Any] = {}

    @cached_property
    def entry(self) -> Entry:
        """What is timed, made when it is first asked for."""
        return entry_from_environment() or make_entry(self._home)

    def shape(self, size: tuple[int, int], batch: int) -> Shape:
        """The contest at this size and batch, run when it is first asked for."""
        if (size, batch) not in self.shapes:
            self.shapes[size, batch] = self.entry.run(size, batch, self.plan)
        return self.shapes[size, batch]

    def results(self) -> Results:
        return Results(
            date=date.today().isoformat(),
            device=device_name(),
            threads=self.plan.threads,
            busy=self.busy,
            versions=versions(),
            network=self.entry.network,
            shapes=tuple(self.shapes.values()),
            pipeline=self.pipeline,
            peers=self.peers,
            training=self.training,
        )


@pytest.fixture(scope="session")
def record(
    request: pytest.FixtureRequest, plan: Plan, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Record]:
    """Where tests put what they measured. What a session did not measure stays as it was, if it was
    the same network on the same versions."""
    kept = Record(plan, tmp_path_factory.mktemp("entry"))
    yield kept
    if not (kept.shapes or kept.pipeline or kept.peers or kept.training):
        return
    new = kept.results()
    folder = FOLDER if request.config.getoption("--record") else SCRATCH
    try:
        old = read_results(folder / new.file_name)
    except (DataError, FileNotFoundError):
        old = new
    path = write_results(new.beside(old), folder)
    for shape in new.shapes:
        show(shape)
    print(f"results: {path}")
