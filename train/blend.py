"""Between two checkpoints of one network: python -m train.blend FIRST SECOND --out FILE.

Where SECOND was trained further from FIRST's weights, the weights in between keep most of what
either is good at (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022).
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer
from torch import Tensor

from runtime.console import run
from runtime.errors import ModelError
from runtime.manifest import Manifest
from train import options
from train.checkpoint import load_checkpoint, plain_weights
from train.derived import check_out, save_derived
from train.teacher import find_teacher
from train.trained_data import open_trained, tell_difference

NOT_BLENDED = ("trained_on", "provenance", "artefact_sha256", "threshold")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    first: Annotated[Path, typer.Argument(help="a run's folder or its checkpoint")],
    second: Annotated[Path, typer.Argument(help="one that learned further from the first")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="the checkpoint to write")],
    data: options.TrainedData = None,
    pairs: options.Pairs = None,
    share: Annotated[float, typer.Option(min=0, max=1, help="how much of it is SECOND's")] = 0.5,
    threshold: options.Threshold = None,
    half: options.Half = False,
) -> None:
    """Writes a checkpoint with weights between two others', and its scores on val."""
    check_out(out)
    first, second = find_teacher(first), find_teacher(second)
    model, manifest = load_checkpoint(first)
    other, others = load_checkpoint(second)
    _check_alike(manifest, others)
    model.load_state_dict(blend(plain_weights(model), plain_weights(other), share))
    dataset = open_trained(second, others, data, pairs)
    tell_difference(first, manifest, dataset)
    tell_difference(second, others, dataset)
    save_derived(model, out, others, dataset, threshold=threshold, half=half)


def blend(first: dict[str, Tensor], second: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """(1 - share) * first + share * second, tensor by tensor, running statistics of batch norm
    too; counters are the second's. share: 0 to 1."""
    return {
        name: tensor.lerp(second[name], share) if tensor.is_floating_point() else second[name]
        for name, tensor in first.items()
    }


def _check_alike(first: Manifest, second: Manifest) -> None:
    for field in dataclasses.fields(Manifest):
        one, other = getattr(first, field.name), getattr(second, field.name)
        if field.name not in NOT_BLENDED and one != other:
            raise ModelError(
                f"these checkpoints cannot be blended: {field.name} is {one} in the first and "
                f"{other} in the second; take two runs of one network, the second trained with "
                "--encoder FIRST"
            )


if __name__ == "__main__":
    run(app)
