"""Decoded pictures at training resolution: read once, kept for every epoch."""

from __future__ import annotations

import math
import multiprocessing
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from runtime.errors import SinkError
from train.augment import resize_rule
from train.console import console, quiet
from train.metrics import network_mask
from train.samples import DataSet, Sample, Samples

MEMORY_LIMIT = 2 << 30
"""Bytes of one split's pictures kept in memory; a larger split lies in a temporary file, and as
many bytes of its masks."""


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """images: (N, h, w, 3) uint8 RGB. masks: (N, h, w) bool; of pictures that a teacher labelled
    uint8, 255 times the probability of water. names: N stems."""

    images: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)


def decode_split(dataset: DataSet, split: str, size: tuple[int, int], resize: str) -> Pictures:
    """Reads one split at `size` (height, width), in parallel and with a progress bar."""
    title = f"{'drawing' if dataset.generated else 'reading'} {split}"
    return decode(dataset.splits[split], title, size, resize, generated=dataset.generated)


def decode(
    samples: Samples, title: str, size: tuple[int, int], resize: str, *, generated: bool = False
) -> Pictures:
    """Reads samples at `size` (height, width). generated: they are computed, which processes
    share."""
    shape = (len(samples), *size)
    images, masks = allocate((*shape, 3), np.uint8), allocate(shape, np.bool_)
    names = [""] * len(samples)
    with _executor(generated, len(samples)) as pool:
        shrunk = _shrunk(pool, samples, size, resize)
        for index, sample in enumerate(
            track(shrunk, title, total=len(samples), console=console, transient=True, disable=quiet)
        ):
            images[index], masks[index], names[index] = sample.image, sample.mask, sample.name
    return Pictures(images=images, masks=masks, names=tuple(names))


def _shrunk(
    pool: Executor, samples: Samples, size: tuple[int, int], resize: str
) -> Iterator[Sample]:
    rule = resize_rule(size, resize)

    def shrink(sample: Sample) -> Sample:
        image = rule(image=sample.image)["image"]
        return Sample(image=image, mask=network_mask(sample.mask, size), name=sample.name)

    if isinstance(pool, ThreadPoolExecutor):
        return pool.map(lambda index: shrink(samples[index]), range(len(samples)))
    # Only the drawing goes to the processes, so that they need not import albumentations.
    chunk = math.ceil(len(samples) / 64)
    return map(shrink, pool.map(samples.__getitem__, range(len(samples)), chunksize=chunk))


def _executor(generated: bool, count: int) -> Executor:
    workers = max(1, min(os.cpu_count() or 1, count))
    if generated and workers > 1:
        return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
    return ThreadPoolExecutor(workers)


def allocate(shape: tuple[int, ...], kind: type[np.generic]) -> NDArray[np.generic]:
    """An array in memory, or in a temporary file when it is larger than MEMORY_LIMIT. Raises
    SinkError when there is no room for the file."""
    size = math.prod(shape) * np.dtype(kind).itemsize
    if size <= MEMORY_LIMIT:
        return np.empty(shape, kind)
    with tempfile.TemporaryFile() as file:
        try:
            # A file with holes would kill the process later, when a page of it finds no room.
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            raise SinkError(
                f"{size / 2**30:.1f} GiB of pictures find no room in {tempfile.gettempdir()} "
                f"({error.strerror}); name a folder on a larger disk in TMPDIR, "
                "or take a smaller --size"
            ) from error
        return np.memmap(file, kind, "r+", shape=shape)
