"""A run's folder as training leaves it, from an untrained network, without training."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import torch

from runtime.manifest import Manifest
from train.checkpoint import save_checkpoint
from train.metrics import LABELS
from train.model import VGG19UNet
from train.run_folder import RunFolder
from train.settings import complete, write_settings

IOUS = (0.4, 0.7, 0.6)


def write_run(
    path: Path,
    manifest: Manifest,
    *,
    data: str = "photographs",
    pairs: Path | None = None,
    seed: int = 42,
    ious: Sequence[float] = IOUS,
    scores: Sequence[str] = tuple(LABELS),
) -> RunFolder:
    """One row per value of `ious`; the best one's scores stand in the manifest. scores: names of
    those that this version of training counted."""
    folder = RunFolder(path)
    path.mkdir(parents=True)
    write_settings(
        complete(
            data=data,
            pairs=pairs,
            model=None,
            width=manifest.width,
            size="32x48",
            recipe=None,
            encoder="none",
            epochs=len(ious),
            batch=None,
            rate=None,
            patience=None,
            seed=seed,
        ),
        path,
    )
    rows: list[dict[str, object]] = [
        {
            "epoch": number,
            "stage": 1,
            "rate": "0.0004",
            "train_loss": 1 / number,
            "val_loss": 1.2 / number,
            **{f"val_{name}": iou if name != "fraction_error" else 1 - iou for name in scores},
            "seconds": 10.0 + number,
        }
        for number, iou in enumerate(ious, start=1)
    ]
    folder.write_metrics(rows)
    torch.manual_seed(seed)
    trained_on = dataclasses.replace(manifest.trained_on, scores={"iou": max(ious)})
    kept = dataclasses.replace(manifest, trained_on=trained_on)
    save_checkpoint(VGG19UNet(width=manifest.width), folder.best, kept)
    return folder
