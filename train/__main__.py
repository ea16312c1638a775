"""Trains a network: python -m train --data FOLDER [--pairs CSV]."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.console import run, say
from runtime.errors import DataError, SinkError
from train import options

if TYPE_CHECKING:
    from train.run_folder import RunFolder
    from train.settings import Settings

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    context: typer.Context,
    data: Annotated[
        str | None,
        typer.Option(
            help="folder with Image/ and Mask/, or 'synthetic'", show_default="generated scenes"
        ),
    ] = None,
    pairs: options.Pairs = None,
    also: options.Also = None,
    dry: options.Dry = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="vgg19unet, vgg19unet-bn, unet or smp:ARCHITECTURE/ENCODER",
            show_default="vgg19unet; generated scenes: vgg19unet-bn",
        ),
    ] = None,
    width: Annotated[
        float | None,
        typer.Option(help="factor on all channels", show_default="1.0; generated scenes: 0.25"),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(help="input size, N or HxW", show_default="224; generated scenes: 80"),
    ] = None,
    epochs: options.Epochs = None,
    batch: options.Batch = None,
    rate: options.Rate = None,
    patience: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="epochs without improvement before it stops",
            show_default="article 20, then 10; others run through",
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="default; article: as published; scenes: for generated scenes",
            show_default="default; for generated scenes: scenes",
        ),
    ] = None,
    change: options.Change = None,
    precision: options.Precision = "auto",
    compiled: options.Compiled = False,
    deterministic: options.Deterministic = False,
    encoder: Annotated[
        str,
        typer.Option(help="auto, imagenet, none, a file of weights, or ships: those of what ships"),
    ] = "auto",
    seed: options.Seed = 42,
    split_seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=options.LARGEST_SEED,
            help="of the split, where none is given",
            show_default="--seed",
        ),
    ] = None,
    out: options.Out = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="go on with the interrupted run in --out, or the newest"),
    ] = False,
) -> None:
    """Photographs with masks in, weights with a manifest out.

    --encoder FILE takes safetensors or torch.save of a state dict: of VGG-19's features, or of a
    whole VGG19UNet, which is then trained further; of a checkpoint of ours, its network, width and
    size too, unless others are given.
    """
    from train.run_folder import RunFolder, next_run_folder, unfinished_run
    from train.settings import complete, read_settings

    if resume:
        _refuse_settings(context)
        folder = RunFolder(out or unfinished_run())
        settings = read_settings(folder.path)
    else:
        _check_data(data, pairs)
        folder = RunFolder(out or next_run_folder())
        settings = complete(
            data=data,
            pairs=pairs,
            also=also,
            dry=dry,
            model=model,
            width=width,
            size=size,
            recipe=recipe,
            change=change or (),
            encoder=encoder,
            epochs=epochs,
            batch=batch,
            rate=rate,
            patience=patience,
            seed=seed,
            split_seed=split_seed,
            precision=precision,
            compile=compiled,
            deterministic=deterministic,
        )
    train_and_tell(settings, folder, resume=resume)


def train_and_tell(settings: Settings, folder: RunFolder, *, resume: bool) -> None:
    """Trains or goes on, and prints where the best checkpoint lies and how good it is; a run that
    the user ends says how to go on and exits with 130."""
    from train.epoch import Interrupted
    from train.parallel import is_first, leave, team
    from train.run import train

    try:
        with team():
            scores, first = train(settings, folder, resume=resume), is_first()
    except (Interrupted, KeyboardInterrupt) as interruption:
        if isinstance(interruption, Interrupted):
            say(f"stopped and saved; go on with: {folder.going_on}")
        leave(130)
        raise typer.Exit(130) from None
    except SinkError as error:
        if folder.taken and folder.state.exists():
            raise SinkError(
                f"{error}; what was saved before is whole, and the run goes on, once it can write, "
                f"with: {folder.going_on}"
            ) from error
        raise
    if first:
        print(f"{folder.best}  val IoU {scores.iou:.4f}  Dice {scores.dice:.4f}")
    leave()


def _check_data(data: str | None, pairs: Path | None) -> None:
    from train.data_folder import WHERE_TO_GET

    if data is None:
        if pairs is not None:
            raise DataError("--pairs came without --data; give the folder that holds Image/")
        say(f"no --data: training on generated scenes; {WHERE_TO_GET}")


def _refuse_settings(context: typer.Context) -> None:
    """An interrupted run keeps its settings: the steps that are left must be those of before."""
    for option in context.command.params:
        source = context.get_parameter_source(option.name)
        given = source is not None and source.name == "COMMANDLINE"
        if given and option.name not in ("resume", "out"):
            raise DataError(
                f"{option.opts[0]} came with --resume, which goes on with the run's own settings; "
                "leave it out, or train anew"
            )


if __name__ == "__main__":
    run(app)
