"""Trains a small network with a large one's masks: python -m train.distill --teacher RUN."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runtime.console import run, say
from runtime.errors import DataError
from runtime.manifest_file import read_manifest
from train import options
from train.__main__ import train_and_tell
from train.recipe import DISTILL
from train.run_folder import RunFolder, next_run_folder
from train.settings import CONFIG, complete, read_settings
from train.teacher import find_teacher
from train.trained_data import split_seed

MODEL, WIDTH, SIZE = "vgg19unet-bn", 0.25, "224"
"""The student, when none is named: 1.95 million weights, 2 MB in INT8."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    teacher: Annotated[
        Path,
        typer.Option(help="a run's folder, its checkpoint, or an exported .onnx, which is faster"),
    ],
    data: Annotated[
        str | None,
        typer.Option(help="folder with Image/ and Mask/", show_default="the teacher's"),
    ] = None,
    pairs: options.Pairs = None,
    also: options.Also = None,
    dry: options.Dry = None,
    model: Annotated[str, typer.Option(help="the student's network")] = MODEL,
    width: Annotated[float, typer.Option(help="factor on all its channels")] = WIDTH,
    size: Annotated[str, typer.Option(help="its input size, N or HxW")] = SIZE,
    epochs: options.Epochs = None,
    batch: options.Batch = None,
    rate: options.Rate = None,
    change: options.Change = None,
    encoder: Annotated[
        str,
        typer.Option(help="none, ships, or a file of weights: of a student that learns further"),
    ] = "none",
    precision: options.Precision = "auto",
    compiled: options.Compiled = False,
    deterministic: options.Deterministic = False,
    seed: options.Seed = 42,
    out: options.Out = None,
) -> None:
    """Photographs and a trained network in, a smaller network with a manifest out.

    An epoch goes once through all views. The data are split as the teacher's were. An interrupted
    run goes on with python -m train --resume.
    """
    artefact = find_teacher(teacher)
    taught = read_manifest(artefact)
    if data is None:
        data, pairs = _teachers_data(artefact, pairs)
    settings = complete(
        data=data,
        pairs=pairs,
        model=model,
        width=width,
        size=size,
        recipe=DISTILL,
        change=change or (),
        encoder=encoder,
        epochs=epochs,
        batch=batch,
        rate=rate,
        patience=None,
        seed=seed,
        split_seed=split_seed(taught),
        precision=precision,
        compile=compiled,
        deterministic=deterministic,
        teacher=str(artefact),
        also=also,
        dry=dry,
    )
    train_and_tell(settings, RunFolder(out or next_run_folder()), resume=False)


def _teachers_data(artefact: Path, pairs: Path | None) -> tuple[str, Path | None]:
    """What the teacher itself was trained on. Raises DataError where nothing says what that is."""
    if not (artefact.parent / CONFIG).is_file():
        raise DataError(
            f"beside {artefact} no {CONFIG} says what it was trained on; give --data FOLDER"
        )
    known = read_settings(artefact.parent)
    say(f"data: {known.data}, which the teacher was trained on")
    return known.data, pairs or (Path(known.pairs) if known.pairs else None)


if __name__ == "__main__":
    run(app)
