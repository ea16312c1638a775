"""Trains a network: python -m train --data FOLDER [--pairs CSV]."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from runtime.console import run, say
from runtime.errors import DataError

# albumentations otherwise asks the network for its newest version.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    data: Annotated[
        str | None, typer.Option(help="folder with Image/ and Mask/, or 'synthetic'")
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option(help="CSV: Image, Mask and, if known, group and split")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="vgg19unet, or vgg19unet-bn with batch norm [generated scenes: -bn]"),
    ] = None,
    width: Annotated[
        float | None,
        typer.Option(help="factor on all channels [default: 1.0; generated scenes 0.25]"),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(help="input size, N or HxW [default: 224; generated scenes 80]"),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="default: what the recipe says")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="default: what the recipe says")] = None,
    rate: Annotated[
        float | None, typer.Option(min=0.0, help="peak learning rate; default: the recipe's")
    ] = None,
    patience: Annotated[
        int | None, typer.Option(min=1, help="epochs without improvement before it stops")
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="default; article: as published; scenes: for generated scenes"),
    ] = None,
    encoder: Annotated[
        str, typer.Option(help="auto, imagenet, none, or a file of weights")
    ] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="of splits, weights and augmentation")] = 42,
    out: Annotated[
        Path | None, typer.Option(help="run folder [default: the next number in runs/]")
    ] = None,
) -> None:
    """Photographs with masks in, weights with a manifest out.

    --encoder FILE takes safetensors or torch.save of a state dict: of VGG-19's features, or of a
    whole VGG19UNet, which is then trained further.
    """
    from train.pairs import WHERE_TO_GET
    from train.settings import complete

    if data is None:
        if pairs is not None:
            raise DataError("--pairs came without --data; give the folder that holds Image/")
        say(f"no --data: training on generated scenes; {WHERE_TO_GET}")
    settings = complete(
        data=data,
        pairs=pairs,
        model=model,
        width=width,
        size=size,
        recipe=recipe,
        encoder=encoder,
        epochs=epochs,
        batch=batch,
        rate=rate,
        patience=patience,
        seed=seed,
    )
    from train.run import train
    from train.run_folder import RunFolder, next_run_folder

    folder = RunFolder(out or next_run_folder())
    try:
        scores = train(settings, folder)
    except KeyboardInterrupt:
        say(f"stopped; what the finished epochs gave lies in {folder.path}")
        raise typer.Exit(130) from None
    print(f"{folder.best}  val IoU {scores.iou:.4f}  Dice {scores.dice:.4f}")


if __name__ == "__main__":
    run(app)
