"""Runs contestants in turn on the same frames, and holds what they gave to the reference."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.contestants import CONTESTANTS, Contestant, lacks
from benchmarks.energy import open_meter
from benchmarks.rates import precisions
from benchmarks.results import Row
from benchmarks.workers import Worker, open_worker
from export.parity import LIMITS, check, compare, numbers
from runtime.backends.cores import usable_cores
from runtime.errors import ParityError
from runtime.processing import logit
from train.metrics import count_pixels, score

BF16 = LIMITS["int8"]
"""No artefact is shipped in BF16; it may not be worse than INT8."""
LEFT_OUT = "left out by FLOOD_PATHS"
SETTLE_S = 0.005
"""Threads that spin after a call are asleep by then."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long a contest lasts: rounds in which each runs once, at least `least`, then until
    `seconds` are over or `most` are done; the first `warm_up` count for nothing. paths: parts of
    names, one of which a contestant's must hold if it is not the reference; none: all run."""

    seconds: float = 20.0
    least: int = 5
    most: int = 100
    warm_up: int = 1
    threads: int = field(default_factory=usable_cores)
    paths: tuple[str, ...] = ()

    def wants(self, name: str) -> bool:
        return not self.paths or any(part in name for part in self.paths)


def run_contest(
    folder: Path,
    frames: NDArray[np.uint8],
    truth: NDArray[np.bool_],
    threshold: float,
    plan: Plan,
    contestants: Sequence[Contestant] = CONTESTANTS,
) -> tuple[tuple[Row, ...], dict[str, tuple[float, ...]]]:
    """Every contestant's row, and the machine's rates by "precision device".

    folder: with the checkpoint and the graphs. frames: (batches, N, h, w, 3) uint8 RGB. truth:
    (batches * N, h, w) bool. The first contestant is the reference and has to run.
    """
    np.save(folder / "frames.npy", frames)
    lacking = {entry.name: lacks(entry, folder) for entry in contestants}
    lacking |= {entry.name: LEFT_OUT for entry in contestants[1:] if not plan.wants(entry.name)}
    with ExitStack() as stack:
        workers = {
            entry.name: stack.enter_context(
                open_worker({"contestant": asdict(entry), "folder": str(folder)}, plan.threads)
            )
            for entry in contestants
            if not lacking[entry.name]
        }
        devices = {entry.device for entry in contestants if entry.name in workers}
        rates = {
            f"{precision} {device}": stack.enter_context(
                open_worker({"rate": precision, "device": device}, plan.threads)
            )
            for device in sorted(devices)
            for precision in precisions(device)
        }
        _rounds([*workers.values(), *rates.values()], len(frames), plan)
        reference = _outputs(workers[contestants[0].name], folder)
        if reference is None:
            raise ParityError(f"the reference does not run: {workers[contestants[0].name].ready}")
        rows = tuple(
            _row(entry, workers[entry.name], folder, reference, truth, threshold)
            if entry.name in workers
            else replace(_unmeasured(entry), missing=lacking[entry.name])
            for entry in contestants
        )
    measured = {
        name: tuple(float(answer["rate"]) for answer in worker.answers)
        for name, worker in rates.items()
        if worker.answers
    }
    return rows, measured


def _rounds(workers: Iterable[Worker], batches: int, plan: Plan) -> None:
    """Each round asks everyone once, in an order of its own, so that a machine that is busy or hot
    slows all alike; the next round gets the next frames."""
    running = [worker for worker in workers if "load_s" in worker.ready]
    order = random.Random(0)
    start = time.perf_counter()
    with ExitStack() as stack:
        meter = open_meter()
        if meter is not None:
            stack.enter_context(meter)
        for number in range(plan.warm_up + plan.most):
            timed = number >= plan.warm_up
            if number == plan.warm_up:
                start = time.perf_counter()
            spent = time.perf_counter() - start
            if number >= plan.warm_up + plan.least and spent > plan.seconds:
                break
            for worker in order.sample(running, len(running)):
                before = meter.joules() if meter else 0.0
                answer = worker.ask(f"infer {number % batches}")
                worker.joules += (meter.joules() if meter else 0.0) - before if timed else 0.0
                if "broken" in answer:
                    worker.ready = answer
                    running.remove(worker)
                elif timed:
                    worker.answers.append(answer)
                time.sleep(SETTLE_S)


def _outputs(worker: Worker, folder: Path) -> NDArray[np.float32] | None:
    """(frames, 1, h, w) logits of what was timed; None from a worker that does not run."""
    if "load_s" not in worker.ready:
        return None
    path = folder / "outputs.npy"
    worker.ready |= worker.ask(f"save {path}")
    if not path.is_file():
        return None
    logits: NDArray[np.float32] = np.load(path)
    path.unlink()
    return logits.reshape(-1, *logits.shape[2:])


def _unmeasured(entry: Contestant) -> Row:
    return Row(path=entry.name, precision=entry.precision, device=entry.device)


def _row(
    entry: Contestant,
    worker: Worker,
    folder: Path,
    reference: NDArray[np.float32],
    truth: NDArray[np.bool_],
    threshold: float,
) -> Row:
    row = _unmeasured(entry)
    outputs = _outputs(worker, folder)
    if outputs is None:
        ready = worker.ready
        return replace(row, missing=ready.get("missing", ""), wrong=ready.get("broken", ""))
    parity = compare(reference, outputs, threshold, truth[: len(reference)])
    wrong = ""
    try:
        check(parity, LIMITS.get(entry.precision, BF16), entry.name)
    except ParityError as error:
        wrong = str(error)
    calls = len(worker.answers)
    masks = outputs[:, 0] > logit(threshold)
    return replace(
        row,
        backend=worker.ready["backend"],
        wrong=wrong,
        ms=tuple(round(answer["ms"], 3) for answer in worker.answers),
        load_s=round(worker.ready["load_s"], 2),
        memory_mb=worker.ready["memory_mb"],
        joules=round(worker.joules / calls, 3) if worker.joules > 0 else None,
        parity={name: float(f"{value:.3g}") for name, value in numbers(parity).items()},
        iou=round(score(count_pixels(masks, truth[: len(masks)])).iou, 4),
    )
