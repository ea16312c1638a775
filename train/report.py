"""What is kept of each epoch: checkpoints, metrics.csv, one line, and pictures at the end."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from runtime.manifest import Manifest
from train import plots
from train.checkpoint import load_checkpoint, save_checkpoint
from train.console import console
from train.epoch import Epoch
from train.events import Events
from train.manifest import with_scores
from train.materials import Materials
from train.metrics import Scores
from train.parallel import is_first
from train.run_folder import RunFolder
from train.validate import predict

PANELS = 6


class Reporter:
    """Takes every epoch as it ends. best_scores are those of best.safetensors, over all stages;
    frames are the sample's predicted masks so far, (h, w) bool each."""

    best_scores: Scores

    def __init__(
        self,
        manifest: Manifest,
        folder: RunFolder,
        materials: Materials,
        epochs: int,
    ) -> None:
        self._manifest, self._folder = manifest, folder
        self._materials, self._epochs = materials, epochs
        self._best_value = -math.inf
        self.sample = most_telling(materials.val.masks)
        self.frames: list[NDArray[np.bool_]] = []
        self.rows: list[dict[str, object]] = []
        self._events: Events | None = None

    def report(self, epoch: Epoch) -> None:
        """Writes last.safetensors, metrics.csv, TensorBoard events and, for the best epoch of all,
        best.safetensors.

        Only the first rank does anything.
        """
        if not is_first():
            return
        validation, materials = epoch.validation, self._materials
        image = materials.val.images[self.sample : self.sample + 1]
        self.frames.append(predict(epoch.model, image, materials.compute)[0, 0].cpu().numpy() > 0)
        self.rows.append(_row(epoch))
        manifest = with_scores(self._manifest, validation.scores)
        save_checkpoint(epoch.model, self._folder.last, manifest)
        by_iou = materials.recipe.choose_by == "iou"
        value = validation.scores.iou if by_iou else -validation.loss
        best = value > self._best_value
        if best or len(self.rows) == 1:
            self._best_value, self.best_scores = value, validation.scores
            save_checkpoint(epoch.model, self._folder.best, manifest)
        self._folder.write_metrics(self.rows)
        self._events = self._events or Events(self._folder.path, epoch.number)
        self._events.write(self.rows[-1])
        console.print(
            f"epoch {epoch.number}/{self._epochs}  loss {epoch.train_loss:.3f}  "
            f"val loss {validation.loss:.3f}  val IoU {validation.scores.iou:.3f}  "
            f"{epoch.seconds:.0f} s{'  best' if best else ''}"
        )

    def state(self) -> dict[str, Any]:
        """What `resume` needs to go on as if nothing had happened."""
        frames = torch.from_numpy(np.array(self.frames, np.uint8))
        scores = dataclasses.asdict(self.best_scores) if self.rows else None
        return {
            "rows": self.rows,
            "best": self._best_value,
            "scores": scores,
            "frames": frames,
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Takes over what `state` gave."""
        self.rows, self._best_value = state["rows"], state["best"]
        self.frames = [frame != 0 for frame in state["frames"].numpy()]
        if state["scores"] is not None:
            self.best_scores = Scores(**state["scores"])


def draw(folder: RunFolder, reporter: Reporter, materials: Materials) -> None:
    """Draws curves.png, panels.png and progress.gif of the epochs so far."""
    if not reporter.rows:
        return
    val, sample = materials.val, reporter.sample
    plots.draw_curves(reporter.rows, folder.curves)
    plots.draw_progress(val.images[sample], val.masks[sample], reporter.frames, folder.progress)
    model, _ = load_checkpoint(folder.best)
    chosen = np.linspace(0, len(val) - 1, min(PANELS, len(val))).round().astype(int)
    model.to(materials.compute.device)
    logits = predict(model, val.images[chosen], materials.compute)
    predicted = logits[:, 0].cpu().numpy() > 0
    names = [val.names[index] for index in chosen]
    plots.draw_panels(val.images[chosen], val.masks[chosen], predicted, names, folder.panels)


def most_telling(masks: NDArray[np.bool_]) -> int:
    """The picture whose water fraction is nearest to a half: its mask shows progress best."""
    fractions = masks.reshape(len(masks), -1).mean(axis=1)
    return int(np.argmin(np.abs(fractions - 0.5)))


def _row(epoch: Epoch) -> dict[str, object]:
    scores = dataclasses.asdict(epoch.validation.scores)
    return {
        "epoch": epoch.number,
        "stage": epoch.stage,
        "rate": f"{epoch.rate:.3g}",
        "train_loss": round(epoch.train_loss, 6),
        "val_loss": round(epoch.validation.loss, 6),
        **{f"val_{name}": round(value, 6) for name, value in scores.items()},
        "seconds": round(epoch.seconds, 2),
    }
