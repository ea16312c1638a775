"""How good an artefact is on a data set: python -m train.evaluate ARTEFACT [--data DIR]."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from runtime.console import run, say
from runtime.errors import DataError
from runtime.manifest_file import read_manifest
from runtime.model import Model, load_model
from runtime.processing import logit, preprocess
from train.backend import PyTorchBackend
from train.bootstrap import intervals
from train.checkpoint import read_weights
from train.console import console, quiet
from train.metrics import LABELS, count_pixels, network_mask, score
from train.options import Pairs
from train.samples import DataSet, Samples
from train.splits import SPLITS
from train.trained_data import open_trained, tell_difference

CHECKPOINT_SUFFIX = ".safetensors"
ALL = "all"
"""What --split calls all of them together."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    artefact: Annotated[Path, typer.Argument(help="a .safetensors or .onnx file")],
    data: Annotated[
        str | None,
        typer.Option(help="folder or 'synthetic'", show_default="what it was trained on"),
    ] = None,
    pairs: Pairs = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="train, val, test, or all for pictures that it has never seen",
            show_default="test; without test pictures val",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="of the split", show_default="that of its training"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Scores at network size, each with the interval that other pictures would leave it in.

    The interval is a bootstrap over pictures, 95 %: a difference within it may be chance.
    """
    if split is not None and split not in (*SPLITS, ALL):
        raise DataError(f"unknown split '{split}'; choose from: {', '.join(SPLITS)}, {ALL}")
    with open_artefact(artefact) as model:
        dataset = open_trained(artefact, model.manifest, data, pairs, seed)
        tell_difference(artefact, model.manifest, dataset)
        split = split or _usual_split(dataset)
        counts = count_split(model, dataset, split)
    values, ranges = dataclasses.asdict(score(counts)), intervals(counts)
    if as_json:
        facts = {"artefact": str(artefact), "backend": model.backend.name, "data": dataset.name}
        facts |= {"split": split, "split_rule": dataset.split_rule}
        results = {"pictures": len(counts), "scores": values, "intervals": ranges}
        print(json.dumps({**facts, **results}, indent=2))
        return
    table = Table(title=artefact.name)
    table.add_column("score")
    table.add_column(f"{split} ({len(counts)} pictures)", justify="right")
    table.add_column("95% interval", justify="right")
    for name, value in values.items():
        low, high = ranges[name]
        table.add_row(LABELS[name], f"{value:.4f}", f"{low:.4f} to {high:.4f}")
    Console(file=sys.stdout).print(table)


def _usual_split(dataset: DataSet) -> str:
    """test, which chose nothing; where it has no pictures val, and one line says so."""
    if len(dataset.splits["test"]):
        return "test"
    say(
        f"note: {dataset.name} has no test pictures here, so these are scores on val; "
        "val chose the best epoch, which makes them a little too good"
    )
    return "val"


def open_artefact(path: Path) -> Model:
    """A checkpoint (run by PyTorch) or an exported artefact, loaded and verified.

    Raises ModelError, ManifestError and BackendError.
    """
    if path.suffix != CHECKPOINT_SUFFIX:
        return load_model(path)
    read_weights(path)  # what is no checkpoint at all is said before its manifest is missed
    manifest = read_manifest(path)
    return Model(manifest, PyTorchBackend(path, manifest))


def count_split(model: Model, dataset: DataSet, split: str) -> NDArray[np.int64]:
    """What count_pixels counts, (N, 8), of one split through the runtime's own preprocessing.

    split: may be ALL. Raises DataError for an empty split or unreadable pictures.
    """
    filled = [name for name in SPLITS if len(dataset.splits[name])]
    if split == ALL:
        counts = [count_samples(model, dataset.splits[name], name) for name in filled]
        return np.concatenate(counts)
    if split not in filled:
        raise DataError(
            f"the split '{split}' of {dataset.name} has no pictures here; "
            f"choose --split {' or '.join(filled)}"
        )
    return count_samples(model, dataset.splits[split], split)


def count_samples(model: Model, samples: Samples, title: str) -> NDArray[np.int64]:
    """What count_pixels counts, (N, 8), through the runtime's own preprocessing.

    Raises DataError for unreadable pictures.
    """
    counts, manifest = [], model.manifest
    order = range(len(samples))
    for index in track(order, f"scoring {title}", console=console, transient=True, disable=quiet):
        sample = samples[index]
        frame = cv2.cvtColor(sample.image, cv2.COLOR_RGB2BGR)
        inputs = preprocess(frame, manifest.input_size, manifest.resize)
        logits = model.infer(inputs[np.newaxis])[:, 0]
        true = network_mask(sample.mask, manifest.input_size)[np.newaxis]
        counts.append(count_pixels(logits > np.float32(logit(manifest.threshold)), true))
    return np.concatenate(counts)


if __name__ == "__main__":
    run(app)
