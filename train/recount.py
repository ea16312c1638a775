"""Batch normalisation's statistics counted anew: python -m train.recount RUN --out FILE.

In training they are those of crops, small and in any weather; a camera shows whole pictures at the
network's own size (Touvron et al., "Fixing the train-test resolution discrepancy", NeurIPS 2019).
Weights between two runs that are far apart have none of their own at all (Izmailov et al.,
"Averaging weights leads to wider optima and better generalization", UAI 2018).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torch import nn
from torch.optim.swa_utils import update_bn

from runtime.console import run
from runtime.errors import ModelError
from train import options
from train.beside import beside
from train.cache import decode, decode_split
from train.checkpoint import load_checkpoint
from train.derived import check_out, save_derived
from train.normalise import normalise
from train.optimise import set_dropout
from train.recipe import IMAGENET_MEAN, IMAGENET_STD
from train.teacher import find_teacher
from train.trained_data import open_trained, tell_difference

BATCH = 16

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    checkpoint: Annotated[Path, typer.Argument(help="a run's folder or a checkpoint")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="the checkpoint to write")],
    data: options.TrainedData = None,
    pairs: options.Pairs = None,
    also: options.Also = None,
    dry: options.Dry = None,
    threshold: options.Threshold = None,
    half: options.Half = False,
) -> None:
    """Counts on the train split as it is, and on as many pictures of --also and of --dry."""
    check_out(out)
    checkpoint = find_teacher(checkpoint)
    model, manifest = load_checkpoint(checkpoint)
    dataset = open_trained(checkpoint, manifest, data, pairs)
    tell_difference(checkpoint, manifest, dataset)
    size, resize = manifest.input_size, manifest.resize
    others = beside(also, dry)
    images = [decode_split(dataset, "train", size, resize).images]
    for name, samples in others.items():
        read = decode(samples, f"reading {name}", size, resize).images
        images.append(thinned(read, len(images[0])))
    recount(model, np.concatenate(images))
    save_derived(model, out, manifest, dataset, threshold=threshold, half=half)


def thinned(pictures: NDArray[np.uint8], most: int) -> NDArray[np.uint8]:
    """At most so many of them, evenly spaced."""
    number = min(most, len(pictures))
    return pictures[np.linspace(0, len(pictures) - 1, number).round().astype(int)]


def recount(model: nn.Module, images: NDArray[np.uint8]) -> None:
    """Gives all batch norms the mean statistics of these pictures in batches of about 16, drawn in
    an order that follows from their number. Leaves the network in eval mode.

    images: (N, h, w, 3) uint8 RGB. Raises ModelError for a network without batch normalisation.
    """
    if not any(isinstance(layer, nn.BatchNorm2d) for layer in model.modules()):
        raise ModelError(
            "this network has no batch normalisation, so there is nothing to count anew; "
            "use its checkpoint as it is"
        )
    set_dropout(model, 0.0)
    order = np.random.default_rng(0).permutation(len(images))
    batches = np.array_split(order, max(1, len(images) // BATCH))
    update_bn(
        (
            normalise(torch.from_numpy(images[batch]), IMAGENET_MEAN, IMAGENET_STD)
            for batch in batches
        ),
        model,
    )
    model.eval()


if __name__ == "__main__":
    run(app)
