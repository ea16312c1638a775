"""Augmented batches, prepared ahead while the network is busy."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import albumentations as A
import numpy as np
import torch
from torch import Tensor

from train.augment import training_transform
from train.cache import Pictures
from train.kind import Kind
from train.loading import Processes, Threads
from train.parallel import rank, ranks
from train.recipe import Recipe
from train.samples import MASK_THRESHOLD
from train.seeds import mixed_seed


@dataclass(frozen=True, kw_only=True)
class Task:
    """One batch to be: places in its epoch's order, the epoch, and the scale of the input size.

    A place is a picture's position plus the number of pictures for each time it was shown before.
    """

    chunk: np.ndarray
    epoch: int
    scale: float


@dataclass(frozen=True, kw_only=True)
class Batch:
    """images: (N, 3, h, w) float32 normalised, channels last in memory. masks: (N, 1, h, w)
    float32, 1 is water, in between where a teacher doubts. names: the N pictures' stems."""

    images: Tensor
    masks: Tensor
    names: tuple[str, ...]


class Batches:
    """The training pictures of any epoch. What a picture becomes follows from seed, epoch and the
    picture's position alone, not from who prepares it or from earlier epochs. With several ranks,
    each gets its share of every batch."""

    def __init__(
        self,
        pictures: Pictures,
        recipe: Recipe,
        input_size: tuple[int, int],
        batch: int,
        seed: int,
        kind: Kind,
        threads: int = 2,
        processes: int = 0,
        parts: Sequence[int] = (),
        times: int = 1,
    ) -> None:
        """batch: most pictures of one step, over all ranks. kind: of the network that is fed.
        processes: that prepare batches; with 0 threads do. parts: how many pictures each of the
        parts has that they were joined of; an epoch shows no more of any than of the first. times:
        how often an epoch shows each picture, every time augmented anew."""
        parts = parts or (len(pictures),)
        self.times, self._most = times, times * parts[0]
        self._part = np.tile(np.repeat(np.arange(len(parts)), parts), times)
        self._shown = sum(min(times * part, self._most) for part in parts)
        self.pictures, self._recipe, self._input_size = pictures, recipe, input_size
        self._kind = kind
        self._batch, self._seed = batch, seed
        self._of_thread = threading.local()
        self._prepared = (
            Processes(self._prepare, processes) if processes else Threads(self._prepare, threads)
        )

    def __len__(self) -> int:
        """Batches of one epoch. They are as equal as can be, because batch norm needs more than
        the one picture that a last batch may have."""
        return -(-self._shown // self._batch)

    def epoch(self, epoch: int, first: int = 0, scale: float = 1.0) -> Iterator[Batch]:
        """All pictures `times` times, or a choice anew of those of a part that is larger than the
        first; shuffled and augmented, at `scale` of the input size.

        first: the batch to begin with, for an epoch that was interrupted.
        """
        shares = np.array_split(self._order(epoch), len(self))[first:]
        yield from self._prepared(
            [Task(chunk=share[rank() :: ranks()], epoch=epoch, scale=scale) for share in shares]
        )

    def _order(self, epoch: int) -> np.ndarray:
        """The places of an epoch's pictures, see Task."""
        order = np.random.default_rng((self._seed, epoch)).permutation(len(self._part))
        part = self._part[order]
        chosen = [np.flatnonzero(part == number)[: self._most] for number in range(part.max() + 1)]
        return order[np.sort(np.concatenate(chosen))]

    def _prepare(self, task: Task) -> Batch:
        chunk, size = task.chunk, scaled_size(self._input_size, task.scale, self._kind)
        transform = self._transform(size)
        images = np.empty((len(chunk), *size, 3), np.float32)
        masks = np.empty((len(chunk), 1, *size), np.float32)
        for place, (turn, index) in enumerate(zip(*divmod(chunk, len(self.pictures)), strict=True)):
            number = task.epoch * self.times + int(turn)
            transform.set_random_seed(mixed_seed(self._seed, number, int(index)))
            mask = self.pictures.masks[index]
            taught = mask.dtype == np.uint8
            grey = mask if taught else mask.astype(np.uint8) * 255
            made = transform(image=self.pictures.images[index], mask=grey)
            images[place] = made["image"]
            masks[place, 0] = made["mask"] / 255 if taught else made["mask"] > MASK_THRESHOLD
        return Batch(
            images=torch.from_numpy(images).permute(0, 3, 1, 2),
            masks=torch.from_numpy(masks),
            names=tuple(self.pictures.names[index % len(self.pictures)] for index in chunk),
        )

    def _transform(self, size: tuple[int, int]) -> A.Compose:
        """One transform per thread and size: it holds the state of its random numbers."""
        made = self._of_thread.__dict__
        if size not in made:
            made[size] = training_transform(self._recipe, size)
        return made[size]


def scaled_size(input_size: tuple[int, int], scale: float, kind: Kind) -> tuple[int, int]:
    """The smallest height and width at that scale or above which the network takes."""
    height, width = (min(side, kind.sizes.fitting(round(side * scale))) for side in input_size)
    return height, width
