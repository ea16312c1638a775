"""Training loops, each in a process of its own, of which one step at a time is timed."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from benchmarks.article_loop import article_steps
from benchmarks.our_loop import our_steps
from train.compute import Compute, find_compute
from train.dataset import open_dataset
from train.models import build_model

SIZE, BATCH = (224, 224), 8
TOGETHER = {"cpu": 1, "cuda": 40}
"""Steps that are timed as one: batches that processes make ahead for a GPU while the other loop has
its turn may not count for much."""


class Loop:
    """kind: "ours" or "theirs"; photographs: a folder with Image/ and Mask/; recipe: of ours."""

    def __init__(self, kind: str, photographs: Path, recipe: str) -> None:
        """Starts the process and waits for its first step, which counts for nothing."""
        context = multiprocessing.get_context("spawn")
        self._asked, answering = context.Pipe()
        # No daemon, which may have no processes of its own; it ends when its pipe does.
        self._process = context.Process(target=_serve, args=(answering, kind, photographs, recipe))
        self._process.start()
        answering.close()  # so that a process that dies is told at once
        self._asked.recv()

    def step_s(self) -> float:
        """Seconds of one more step, or the mean of as many as are TOGETHER. Raises EOFError where
        the process has died."""
        self._asked.send(True)
        return float(self._asked.recv())

    def __enter__(self) -> Loop:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()


def seconds(work: Callable[[], object]) -> float:
    """Until a GPU, too, has done what it was given."""
    start = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _serve(connection: Connection, kind: str, photographs: Path, recipe: str) -> None:
    compute = find_compute()
    steps = _steps(kind, photographs, recipe, compute)
    connection.send(seconds(lambda: next(steps)))
    together = TOGETHER[compute.device.type]
    while connection.recv():
        connection.send(seconds(lambda: [next(steps) for _ in range(together)]) / together)


def _steps(kind: str, photographs: Path, recipe: str, compute: Compute) -> Iterator[float]:
    model = build_model("vgg19unet", 1.0)
    if kind == "theirs":
        return article_steps(model, photographs, SIZE, BATCH)
    return our_steps(model, open_dataset(str(photographs)), recipe, SIZE, BATCH, compute)
