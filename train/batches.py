"""Augmented batches, prepared ahead by threads while the network is busy."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import albumentations as A
import numpy as np
import torch
from torch import Tensor

from train.augment import training_transform
from train.cache import Pictures
from train.recipe import Recipe

AHEAD = 3
"""Batches that are prepared before they are asked for."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """images: (N, 3, h, w) float32 normalised, channels last in memory. masks: (N, 1, h, w)
    float32, 1 is water. names: the N pictures' stems."""

    images: Tensor
    masks: Tensor
    names: tuple[str, ...]


class Batches:
    """The training pictures of any epoch. What a picture becomes follows from seed, epoch and the
    picture's position alone, not from the number of threads or from earlier epochs."""

    def __init__(
        self,
        pictures: Pictures,
        recipe: Recipe,
        input_size: tuple[int, int],
        batch: int,
        seed: int,
        threads: int = 2,
    ) -> None:
        self._pictures, self._recipe, self._input_size = pictures, recipe, input_size
        self._batch, self._seed, self._threads = batch, seed, threads
        self._of_thread = threading.local()

    def __len__(self) -> int:
        """Batches of one epoch; the last one may be smaller."""
        return -(-len(self._pictures) // self._batch)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """All pictures once, shuffled and augmented."""
        order = np.random.default_rng((self._seed, epoch)).permutation(len(self._pictures))
        chunks = [order[start : start + self._batch] for start in range(0, len(order), self._batch)]
        waiting: deque[Future[Batch]] = deque()
        with ThreadPoolExecutor(self._threads) as pool:
            for chunk in chunks:
                waiting.append(pool.submit(self._prepare, chunk, epoch))
                if len(waiting) > AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _prepare(self, chunk: np.ndarray, epoch: int) -> Batch:
        transform = self._transform()
        images, masks = [], []
        for index in chunk:
            transform.set_random_seed(_mix(self._seed, epoch, int(index)))
            made = transform(
                image=self._pictures.images[index],
                mask=self._pictures.masks[index].astype(np.uint8),
            )
            images.append(made["image"])
            masks.append(made["mask"])
        return Batch(
            images=torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2),
            masks=torch.from_numpy(np.stack(masks)).float().unsqueeze(1),
            names=tuple(self._pictures.names[index] for index in chunk),
        )

    def _transform(self) -> A.Compose:
        """One transform per thread: it holds the state of its random numbers."""
        if not hasattr(self._of_thread, "transform"):
            self._of_thread.transform = training_transform(self._recipe, self._input_size)
        return self._of_thread.transform


def _mix(*parts: int) -> int:
    """One 32-bit seed from several numbers."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0])
