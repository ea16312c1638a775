"""Checkpoints that are made of others without training: scored on val and written."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from torch import nn

from runtime.console import say
from runtime.errors import ModelError
from runtime.manifest import Manifest
from train.cache import decode_split
from train.checkpoint import save_checkpoint
from train.compute import find_compute
from train.manifest import with_scores
from train.samples import DataSet
from train.validate import validate


def check_out(out: Path) -> None:
    """Raises ModelError unless a checkpoint can have this name."""
    if out.suffix != ".safetensors":
        raise ModelError(f"--out {out}: a checkpoint is wanted, for example {out.stem}.safetensors")


def save_derived(
    model: nn.Module,
    out: Path,
    manifest: Manifest,
    dataset: DataSet,
    *,
    threshold: float | None,
    half: bool,
) -> None:
    """Scores the network on the val split in float32, writes it with this contract and prints
    where. threshold: None for the manifest's. half: kernels in half precision."""
    compute = find_compute("fp32")
    val = decode_split(dataset, "val", manifest.input_size, manifest.resize)
    scores = validate(model.to(compute.device), val, compute, dice=False).scores
    contract = dataclasses.replace(manifest, threshold=threshold or manifest.threshold)
    save_checkpoint(model, out, with_scores(contract, scores), half=half)
    say(f"val IoU {scores.iou:.4f}")
    print(out)
