"""One contestant in a process of its own, so that no other's threads, memory or crash touch it.

python -m benchmarks.worker JSON reads commands on stdin and answers each with a line of JSON:
    (first)      {"backend": ..., "load_s": ...}, or {"missing": why}, or {"broken": why}
    infer K      {"ms": ...} for the K-th batch of frames
    save FILE    {"memory_mb": ...}, after FILE.npy was written
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.contestants import Contestant, load
from benchmarks.rates import open_rate
from runtime.errors import BackendError, FloodError


class Outputs:
    """Of everything that was timed, per batch of frames the output that is farthest from the first
    one, so that a single wrong answer is enough to be found out."""

    def __init__(self, batches: int) -> None:
        self._first: list[NDArray[np.float32] | None] = [None] * batches
        self._worst: list[tuple[float, NDArray[np.float32]] | None] = [None] * batches

    def add(self, number: int, logits: NDArray[np.float32]) -> None:
        first = self._first[number]
        if first is None:
            first = self._first[number] = logits
        drift = float(np.abs(logits - first).max()) if np.isfinite(logits).all() else np.inf
        worst = self._worst[number]
        if worst is None or drift > worst[0]:
            self._worst[number] = drift, logits

    def save(self, path: str) -> None:
        np.save(path, np.stack([worst[1] for worst in self._worst if worst is not None]))


def serve(task: dict[str, Any], answer: Callable[[dict[str, Any]], None]) -> None:
    """Loads what the task names, then answers commands until stdin ends."""
    start = time.perf_counter()
    try:
        if "rate" in task:
            measure = open_rate(task["rate"], task["device"])
            answer({"backend": "", "load_s": time.perf_counter() - start})
            for _ in sys.stdin:
                answer({"rate": measure()})
            return
        loaded = load(Contestant(**task["contestant"]), Path(task["folder"]))
    except BackendError as error:
        return answer({"missing": str(error)})
    except FloodError as error:
        return answer({"broken": str(error)})
    frames = np.load(Path(task["folder"]) / "frames.npy")
    loaded.infer(frames[0])  # what compiles does so now
    answer({"backend": loaded.backend, "load_s": time.perf_counter() - start})
    outputs = Outputs(len(frames))
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        if command == "save":
            outputs.save(argument)
            answer({"memory_mb": peak_memory_mb()})
            continue
        number = int(argument)
        start = time.perf_counter()
        logits = loaded.infer(frames[number])
        answer({"ms": 1e3 * (time.perf_counter() - start)})
        outputs.add(number, logits)


def peak_memory_mb(process: int | str = "self") -> float | None:
    """The largest resident memory of a process so far, as Linux counts it; else None."""
    status = Path(f"/proc/{process}/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.is_file() else None
    return int(found[1]) * 1024 / 1e6 if found else None


def pin(threads: int) -> None:
    """Keeps this process to its first cores, and its libraries to as many threads."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def main() -> None:
    task = json.loads(sys.argv[1])
    pin(task["threads"])
    answers = os.fdopen(os.dup(1), "w")  # libraries that print must not disturb the protocol
    os.dup2(2, 1)

    def answer(values: dict[str, Any]) -> None:
        print(json.dumps(values), file=answers, flush=True)

    serve(task, answer)


if __name__ == "__main__":
    main()
