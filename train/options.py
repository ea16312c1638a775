"""The options that every command which trains has, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runtime.arguments import finite

LARGEST_SEED = 2**32 - 1
RECIPES = "what the recipe says"


def positive(value: float | None) -> float | None:
    """A finite number above zero. Raises typer.BadParameter."""
    value = finite(value)
    if value is not None and value <= 0:
        raise typer.BadParameter(f"{value:g} came; wanted more than 0")
    return value


def probability(value: float | None) -> float | None:
    """A number between 0 and 1. Raises typer.BadParameter."""
    if value is not None and not 0 < value < 1:
        raise typer.BadParameter(f"{value:g} came; wanted a probability between 0 and 1")
    return value


Pairs = Annotated[
    Path | None,
    typer.Option(
        help="CSV: Image, Mask and, if known, group and split",
        show_default="DIR/metadata.csv, else equal stems",
    ),
]
Also = Annotated[
    Path | None,
    typer.Option(
        help="folder with Image/ and Mask/ of other places, a camera's for one, to learn from too, "
        "by their own masks",
        show_default="none",
    ),
]
Dry = Annotated[
    Path | None,
    typer.Option(
        help="folder of pictures without any water, to learn from too", show_default="none"
    ),
]
TrainedData = Annotated[
    str | None,
    typer.Option(
        help="folder with Image/ and Mask/, to score it on", show_default="the training's own"
    ),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        metavar="P",
        callback=probability,
        help="probability above which a pixel is water",
        show_default="the checkpoint's",
    ),
]
Half = Annotated[
    bool, typer.Option("--half", help="kernels in half precision, which halves the file")
]
Epochs = Annotated[
    int | None, typer.Option(min=1, help="most times through the data", show_default=RECIPES)
]
Batch = Annotated[int | None, typer.Option(min=1, help="pictures per step", show_default=RECIPES)]
Rate = Annotated[
    float | None,
    typer.Option(callback=positive, help="peak learning rate", show_default=RECIPES),
]
Change = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE",
        help="an ingredient of the recipe, e.g. average=none; may be repeated",
        show_default="none",
    ),
]
Precision = Annotated[
    str, typer.Option(help="fp32, bf16 or fp16; auto: the fastest that the device has")
]
Compiled = Annotated[
    bool, typer.Option("--compile", help="torch.compile the network: slow start, faster steps")
]
Deterministic = Annotated[
    bool, typer.Option("--deterministic", help="the same weights again, on GPUs too")
]
Seed = Annotated[
    int, typer.Option(min=0, max=LARGEST_SEED, help="of weights, augmentation and scenes")
]
Out = Annotated[
    Path | None, typer.Option(help="run folder", show_default="the next number in runs/")
]
