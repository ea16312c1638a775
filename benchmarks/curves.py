"""Do our steps learn as the article's do? python -m benchmarks.curves --data DIR --encoder FILE

Both loops from the same weights, with the published optimiser, rate, batch and augmentation, all
layers trained, as the published code does in effect. What differs is ours: bfloat16 where the
processor has it, pictures decoded once, memory order. Results lie in
benchmarks/results/training/curves.json.
"""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from PIL import Image
from rich.progress import track
from torch import nn

from benchmarks.article_loop import article_steps
from benchmarks.our_loop import our_steps
from runtime.console import run, say
from runtime.files import write_text
from train.cache import Pictures, decode_split
from train.compute import Compute, find_compute
from train.console import console
from train.dataset import Photographs, open_dataset
from train.encoder import prepare_encoder
from train.models import build_model
from train.recipe import RECIPES
from train.samples import DataSet
from train.validate import validate

RESULTS = Path(__file__).parent / "results" / "training" / "curves.json"
BATCH = RECIPES["article"].batch

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    data: Annotated[str, typer.Option(help="folder with Image/ and Mask/")],
    pairs: Annotated[Path | None, typer.Option(help="CSV with the columns Image and Mask")] = None,
    encoder: Annotated[str, typer.Option(help="weights that VGG-19 starts from")] = "auto",
    size: Annotated[int, typer.Option(min=32, help="input size, a multiple of 16")] = 96,
    epochs: Annotated[int, typer.Option(min=1)] = 6,
    seeds: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Validation IoU after each epoch of both loops, once per seed."""
    dataset, compute = open_dataset(data, pairs), find_compute()
    val = decode_split(dataset, "val", (size, size), "linear")
    exact = Compute(device=compute.device, half=None)
    found: dict[str, list[list[float]]] = {"ours": [], "the article's": []}
    with tempfile.TemporaryDirectory() as folder:
        link_train_split(dataset, Path(folder))
        for seed in range(seeds):
            torch.manual_seed(seed)
            start = build_model("vgg19unet", 1.0)
            prepare_encoder(start, encoder, he_init=False)
            ours, theirs = copy.deepcopy(start), start
            loops: dict[str, tuple[nn.Module, Callable[[], Iterator[float]]]] = {
                "ours": (
                    ours,
                    lambda model=ours, seed=seed: our_steps(
                        model, dataset, "article", (size, size), BATCH, compute,
                        frozen=False, seed=seed,
                    ),
                ),
                "the article's": (
                    theirs,
                    lambda model=theirs: article_steps(model, Path(folder), (size, size), BATCH),
                ),
            }  # fmt: skip
            for name, (model, steps) in loops.items():
                torch.manual_seed(seed)
                found[name].append(curve(model, steps(), dataset, val, exact, epochs, name))
    facts = {"size": size, "epochs": epochs, "compute": str(compute), "val_iou": found}
    write_text(RESULTS, json.dumps(facts, indent=1) + "\n")
    for name, curves in found.items():
        say(f"{name}: " + ", ".join(f"{value:.3f}" for value in np.mean(curves, axis=0)))


def curve(
    model: nn.Module,
    steps: Iterator[float],
    dataset: DataSet,
    val: Pictures,
    compute: Compute,
    epochs: int,
    name: str,
) -> list[float]:
    """Validation IoU after each epoch."""
    per_epoch = -(-len(dataset.splits["train"]) // BATCH)
    ious = []
    for epoch in range(1, epochs + 1):
        title = f"{name}, epoch {epoch}"
        for _ in track(range(per_epoch), title, console=console, transient=True):
            next(steps)
        ious.append(round(validate(model, val, compute, dice=False).scores.iou, 4))
        model.train()
    return ious


def link_train_split(dataset: DataSet, folder: Path) -> None:
    """Image/ and Mask/ with links to the training pairs, named alike, as the article's loop
    wants them; a mask of another size than its image, at which that loop stops, is mended."""
    train = dataset.splits["train"]
    assert isinstance(train, Photographs)
    for kind in ("Image", "Mask"):
        (folder / kind).mkdir()
    for number, pair in enumerate(train.pairs):
        image, mask = (folder / kind / f"{number:04d}" for kind in ("Image", "Mask"))
        image.symlink_to(pair.image.resolve())
        with Image.open(pair.image) as one, Image.open(pair.mask) as other:
            alike = one.size == other.size
        if alike:
            mask.symlink_to(pair.mask.resolve())
        else:
            Image.fromarray(train[number].mask).save(mask, format="PNG")


if __name__ == "__main__":
    run(app)
