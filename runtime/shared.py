"""One model for several cameras: what waits together goes through the network together."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.manifest import Manifest
from runtime.model import Model

MAX_BATCH = 8
"""Frames in one call of the network at most; its memory grows with them."""


class Request:
    """One camera's inputs, and later their logits or the error that came instead."""

    def __init__(self, inputs: NDArray[np.uint8]) -> None:
        self.inputs = inputs
        self.logits: NDArray[np.float32] | None = None
        self.error: BaseException | None = None

    @property
    def answered(self) -> bool:
        return self.logits is not None or self.error is not None


class SharedModel:
    """A model that many threads may call at once.

    While the network is as busy as it can be, callers wait; whoever is first when it is free takes
    all that wait with it, as one batch. Nobody waits for a camera that has no frame.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._changed = threading.Condition()
        self.waiting: list[Request] = []
        self._running = 0

    @property
    def manifest(self) -> Manifest:
        return self._model.manifest

    @property
    def in_flight(self) -> int:
        return self._model.in_flight

    def infer(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, h, w, 3) uint8 RGB -> (N, 1, h, w) float32 logits. Raises BackendError."""
        request = Request(inputs)
        with self._changed:
            self.waiting.append(request)
            self._changed.wait_for(lambda: request.answered or self._may_run(request))
            if not request.answered:
                self._running += 1
                batch = self._next_batch(request)
        if not request.answered:
            self._run(batch)
        if request.error is not None:
            raise request.error
        assert request.logits is not None
        return request.logits

    def _may_run(self, request: Request) -> bool:
        """Whether it still waits, and is not on its way in another caller's batch."""
        return self._running < self.in_flight and request in self.waiting

    def _next_batch(self, first: Request) -> list[Request]:
        """The caller's own request and as many others as fit, the longest waiting first."""
        self.waiting.remove(first)
        batch, size = [first], len(first.inputs)
        while self.waiting and size + len(self.waiting[0].inputs) <= MAX_BATCH:
            batch.append(self.waiting.pop(0))
            size += len(batch[-1].inputs)
        return batch

    def _run(self, batch: list[Request]) -> None:
        error: BaseException | None = None
        answers: list[Any] = [None] * len(batch)
        try:
            logits = self._model.infer(np.concatenate([request.inputs for request in batch]))
            ends = np.cumsum([len(request.inputs) for request in batch])
            answers = np.split(logits, ends[:-1])
        except BaseException as raised:
            error = raised
        with self._changed:
            for request, answer in zip(batch, answers, strict=True):
                request.logits, request.error = answer, error
            self._running -= 1
            self._changed.notify_all()
