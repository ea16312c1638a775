"""Training loops, each in a process of its own, of which one step at a time is timed."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.article_loop import article_steps
from benchmarks.our_loop import our_steps
from train.compute import find_compute
from train.dataset import open_dataset
from train.models import build_model

SIZE, BATCH = (224, 224), 8


class Loop:
    """kind: "ours" or "theirs"; photographs: a folder with Image/ and Mask/; recipe: of ours."""

    def __init__(self, kind: str, photographs: Path, recipe: str) -> None:
        """Starts the process and waits for its first step, which counts for nothing."""
        context = multiprocessing.get_context("spawn")
        self._asked, answering = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(answering, kind, photographs, recipe), daemon=True
        )
        self._process.start()
        answering.close()  # so that a process that dies is told at once
        self._asked.recv()

    def step_s(self) -> float:
        """Seconds of one more step. Raises EOFError where the process has died."""
        self._asked.send(True)
        return float(self._asked.recv())

    def __enter__(self) -> Loop:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _serve(connection: Connection, kind: str, photographs: Path, recipe: str) -> None:
    steps = _steps(kind, photographs, recipe)
    connection.send(seconds(lambda: next(steps)))
    while connection.recv():
        connection.send(seconds(lambda: next(steps)))


def _steps(kind: str, photographs: Path, recipe: str) -> Iterator[float]:
    model = build_model("vgg19unet", 1.0)
    if kind == "theirs":
        return article_steps(model, photographs, SIZE, BATCH)
    return our_steps(model, open_dataset(str(photographs)), recipe, SIZE, BATCH, find_compute())
