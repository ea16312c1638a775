"""A narrow network cut out of a trained wide one: python -m benchmarks.pruning RUN --width 0.25.

Structured pruning (Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017): of each layer
the channels with the smallest weights go, the same share everywhere, so what is left is the same
network of a smaller width. It is where `train.distill --encoder FILE` can begin, to be compared
with a student that begins at random. Needs torch-pruning (pip install --no-deps torch-pruning).
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import Tensor, nn

from runtime.console import run, say
from runtime.errors import ModelError
from train.checkpoint import load_checkpoint, save_checkpoint
from train.models import build_model
from train.teacher import find_teacher

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    wide: Annotated[Path, typer.Argument(help="a run's folder, or its checkpoint")],
    out: Annotated[Path, typer.Option(help="the checkpoint to write")],
    width: Annotated[float, typer.Option(help="factor on all channels, as in training")] = 0.25,
) -> None:
    """Writes the narrow network. It has to learn further before it is good for anything."""
    network, manifest = load_checkpoint(find_teacher(wide))
    if not 0 < width < manifest.width:
        raise ModelError(
            f"width {width:g} came for a network of width {manifest.width:g}; name a smaller one"
        )
    narrow = build_model(manifest.model, width)
    pictures = torch.zeros(1, 3, *manifest.input_size)
    narrow.load_state_dict(pruned(network, pictures, width / manifest.width).state_dict())
    trained_on = dataclasses.replace(manifest.trained_on, scores={})
    save_checkpoint(narrow, out, dataclasses.replace(manifest, width=width, trained_on=trained_on))
    say(f"written: {out}")


def pruned(network: nn.Module, pictures: Tensor, share: float) -> nn.Module:
    """The network itself, with that share of the channels of each layer but the last.

    pictures: (N, 3, h, w) that it can be traced with. Raises ModelError.
    """
    try:
        import torch_pruning
    except ImportError as error:
        raise ModelError(
            f"pruning needs torch-pruning ({error}); pip install --no-deps torch-pruning"
        ) from error
    last = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)][-1]
    torch_pruning.pruner.MagnitudePruner(
        network,
        pictures,
        importance=torch_pruning.importance.MagnitudeImportance(p=1),
        pruning_ratio=1 - share,
        ignored_layers=[last],
    ).step()
    return network


if __name__ == "__main__":
    run(app)
