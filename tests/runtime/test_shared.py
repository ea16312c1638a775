"""One model for several cameras: batches of what waits, each caller its own logits."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.errors import BackendError
from runtime.model import Model, load_model
from runtime.shared import MAX_BATCH, SharedModel
from tests.runtime.models import SIZE


class Gated:
    """A backend whose calls wait until they may go on; remembers the size of each batch."""

    name = "gated"

    def __init__(self, backend: Any, in_flight: int = 1) -> None:
        self.in_flight = in_flight
        self.backend, self.sizes = backend, list[int]()
        self.gate, self.entered = threading.Semaphore(0), threading.Semaphore(0)
        self.fails = False

    def infer(self, inputs: np.ndarray) -> np.ndarray:
        self.sizes.append(len(inputs))
        self.entered.release()
        assert self.gate.acquire(timeout=20)
        if self.fails:
            raise BackendError("the device is gone")
        return self.backend.infer(inputs)  # type: ignore[no-any-return]


def blue(level: int, number: int = 1) -> np.ndarray:
    inputs = np.zeros((number, *SIZE, 3), np.uint8)
    inputs[..., 2] = level
    return inputs


def test_what_waits_together_runs_together_and_everyone_gets_their_own(tiny_model: Path) -> None:
    with load_model(tiny_model, "fake") as model:
        gated = Gated(model.backend)
        shared = SharedModel(Model(model.manifest, gated))  # type: ignore[arg-type]
        answers: dict[int, np.ndarray] = {}

        def call(level: int, number: int = 1) -> threading.Thread:
            def ask() -> None:
                answers[level] = shared.infer(blue(level, number))

            thread = threading.Thread(target=ask)
            thread.start()
            return thread

        callers = [call(32)]
        assert gated.entered.acquire(timeout=20)
        callers += [call(64), call(96, 2), call(128)]
        while len(shared.waiting) < 3:
            pass
        for _ in range(2):
            gated.gate.release()
        for caller in callers:
            caller.join(20)
    assert gated.sizes == [1, 4]
    assert {level: answer.shape[0] for level, answer in answers.items()} == {
        32: 1, 64: 1, 96: 2, 128: 1
    }  # fmt: skip
    assert all((answer == level / 32).all() for level, answer in answers.items())


def test_a_batch_is_bounded(tiny_model: Path) -> None:
    with load_model(tiny_model, "fake") as model:
        gated = Gated(model.backend)
        shared = SharedModel(Model(model.manifest, gated))  # type: ignore[arg-type]
        callers = [
            threading.Thread(target=shared.infer, args=(blue(1),)) for _ in range(MAX_BATCH + 4)
        ]
        callers[0].start()
        assert gated.entered.acquire(timeout=20)
        for caller in callers[1:]:
            caller.start()
        while len(shared.waiting) < MAX_BATCH + 3:
            pass
        for _ in range(3):
            gated.gate.release()
        for caller in callers:
            caller.join(20)
    assert gated.sizes == [1, MAX_BATCH, 3]


def test_an_error_reaches_everyone_in_the_batch_and_the_next_call_runs(tiny_model: Path) -> None:
    with load_model(tiny_model, "fake") as model:
        gated = Gated(model.backend)
        shared = SharedModel(Model(model.manifest, gated))  # type: ignore[arg-type]
        gated.fails = True
        gated.gate.release()
        with pytest.raises(BackendError, match="the device is gone"):
            shared.infer(blue(1))
        gated.fails = False
        gated.gate.release()
        assert shared.infer(blue(32)).max() == 1


def test_as_many_run_at_once_as_the_backend_takes(tiny_model: Path) -> None:
    with load_model(tiny_model, "fake") as model:
        gated = Gated(model.backend, in_flight=2)
        shared = SharedModel(Model(model.manifest, gated))  # type: ignore[arg-type]
        callers = [threading.Thread(target=shared.infer, args=(blue(1),)) for _ in range(4)]
        for caller in callers[:2]:
            caller.start()
            assert gated.entered.acquire(timeout=20)
        for caller in callers[2:]:
            caller.start()
        while len(shared.waiting) < 2:
            pass
        for _ in range(3):
            gated.gate.release()
        for caller in callers:
            caller.join(20)
    assert gated.sizes == [1, 1, 2]
