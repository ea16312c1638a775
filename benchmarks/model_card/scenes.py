"""Generated floods by light and weather: how good the masks are, and which are the worst."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from runtime.model import Model
from runtime.processing import logit, preprocess
from train import plots
from train.console import console
from train.metrics import count_pixels, each_iou, network_mask, score
from train.scenes import describe, render
from train.scenes.light import HOURS

FIRST_SEED, SEARCHED = 79_000_000, 600
EACH, SIZE = 12, (240, 320)
SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Guess:
    """A generated scene at network size, its true mask and the model's."""

    name: str
    image: NDArray[np.uint8]
    true: NDArray[np.bool_]
    predicted: NDArray[np.bool_]

    @property
    def counts(self) -> NDArray[np.int64]:
        return count_pixels(self.predicted[np.newaxis], self.true[np.newaxis])


def measure_scenes(model: Model, failures: Path | None) -> dict[str, dict[str, Any]]:
    """Hour or weather -> scores of EACH scenes. failures: the worst ones are drawn there."""
    chosen: dict[str, list[Any]] = {hour: [] for hour in (*HOURS, "rain", "snow")}
    for seed in range(FIRST_SEED, FIRST_SEED + SEARCHED):
        description = describe(seed)
        for name in _groups(description):
            if len(chosen[name]) < EACH:
                chosen[name].append(description)
    guesses = {
        name: [_guess(model, each, name) for each in track(
            found, name, console=console, transient=True
        )]
        for name, found in chosen.items()
    }  # fmt: skip
    if failures is not None:
        _draw_worst([guess for group in guesses.values() for guess in group], failures)
    return {name: _scores(group) for name, group in guesses.items() if group}


def _groups(description: Any) -> list[str]:
    return [
        description.light.hour,
        *(["rain"] if description.light.rain else []),
        *(["snow"] if description.land.snow else []),
    ]


def _guess(model: Model, description: Any, name: str) -> Guess:
    scene = render(description, SIZE)
    manifest = model.manifest
    frame = np.ascontiguousarray(scene.image[..., ::-1])
    inputs = preprocess(frame, manifest.input_size, manifest.resize)
    logits = model.infer(inputs[np.newaxis])[0, 0]
    return Guess(
        name=f"{description.place}, {name}",
        image=inputs,
        true=network_mask(scene.mask, manifest.input_size),
        predicted=logits > np.float32(logit(manifest.threshold)),
    )


def _scores(group: list[Guess]) -> dict[str, Any]:
    scores = score(np.concatenate([guess.counts for guess in group]))
    return {
        "scenes": len(group),
        "iou": round(scores.iou, 4),
        "fraction_error": round(scores.fraction_error, 4),
    }


def _draw_worst(guesses: list[Guess], path: Path) -> None:
    flooded = [guess for guess in guesses if guess.true.any()]
    order = np.argsort([float(each_iou(guess.counts)[0]) for guess in flooded])[:SHOWN]
    shown = [flooded[index] for index in order]
    plots.draw_panels(
        np.stack([guess.image for guess in shown]),
        np.stack([guess.true for guess in shown]),
        np.stack([guess.predicted for guess in shown]),
        [guess.name for guess in shown],
        path,
    )
