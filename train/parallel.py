"""Several processes that train one network (torchrun), and the one process that is the usual case.

The batch is one batch for all: each rank takes its share of the pictures, sums of the loss are
taken over all ranks, and so the steps are those of a single process with the same batch.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from train.console import console

T = TypeVar("T")


@contextlib.contextmanager
def team() -> Iterator[None]:
    """Joins the other processes while the block runs, where torchrun started several.

    Only the first one speaks. Gradients travel by NCCL between GPUs, by gloo between CPUs.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    device = None
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device else "gloo", device_id=device)
    console.quiet = not is_first()
    try:
        yield
    finally:
        dist.destroy_process_group()


def leave(code: int = 0) -> None:
    """Ends the process where several are done. DistributedDataParallel keeps gloo's threads alive
    beyond destroy_process_group, and one that lets go of a tensor while Python ends aborts it."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def rank() -> int:
    """This process's number, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def ranks() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_first() -> bool:
    """Whether this process writes the files and speaks."""
    return rank() == 0


def distributed(model: nn.Module) -> nn.Module:
    """The network with its gradients averaged over all ranks; alone, the network itself.

    Batch norm takes its statistics over all ranks on GPUs, over each rank's share on CPUs.
    """
    if ranks() == 1:
        return model
    if next(model.parameters()).is_cuda:
        model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    return DistributedDataParallel(model)


def total(share: Tensor) -> Tensor:
    """The sum over all ranks. Its gradient is that of the share times the number of ranks, because
    DistributedDataParallel averages gradients."""
    if ranks() == 1:
        return share
    everything = share.detach().clone()
    dist.all_reduce(everything)
    own = ranks() * share
    return everything + own - own.detach()


def gather(value: T) -> list[T]:
    """Every rank's value, in the order of ranks, on every rank."""
    if ranks() == 1:
        return [value]
    values: list[Any] = [None] * ranks()
    dist.all_gather_object(values, value)
    return values


def first_says(value: T) -> T:
    """The first rank's value, on every rank."""
    return gather(value)[0]


def any_rank(flag: bool) -> bool:
    """Whether it holds on any rank."""
    return any(gather(flag))
