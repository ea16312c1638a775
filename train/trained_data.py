"""The data behind trained weights, split as in their training: what they learned from is never
among what they are scored on."""

from __future__ import annotations

from pathlib import Path

from runtime.console import say
from runtime.errors import DataError, ManifestError
from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest
from train.dataset import DEFAULT_SEED, SYNTHETIC, open_dataset
from train.samples import GENERATED, DataSet
from train.settings import CONFIG, read_settings
from train.splits import seed_of_rule
from train.synthetic import seed_of_scenes


def open_trained(
    artefact: Path,
    manifest: Manifest,
    data: str | None,
    pairs: Path | None,
    seed: int | None = None,
) -> DataSet:
    """The data set that was asked for, or else the one that the artefact's run was trained on.

    What is not given is as it was in training: the seed of the split, and the table of pairs where
    the folder is the run's. Raises DataError.
    """
    if seed is None:
        seed = split_seed(manifest)
    if data is not None:
        return open_dataset(data, pairs or _table_of_run(artefact, data), seed)
    if pairs is not None:
        raise DataError("--pairs came without --data; give the folder that holds Image/ too")
    if (artefact.parent / CONFIG).is_file():
        known = read_settings(artefact.parent)
        return open_dataset(known.data, Path(known.pairs) if known.pairs else None, seed)
    if manifest.trained_on.dataset == GENERATED:
        return open_dataset(SYNTHETIC, seed=seed)
    raise DataError(
        f"{artefact.name} was trained on {manifest.trained_on.dataset}, and nothing here says "
        "where that lies; give --data FOLDER, and --pairs CSV if there is one"
    )


def split_seed(manifest: Manifest) -> int:
    """The seed by which the data were split in training; DEFAULT_SEED where no seed decided."""
    rule = manifest.trained_on.split
    for seed in (seed_of_rule(rule), seed_of_scenes(rule)):
        if seed is not None:
            return seed
    return DEFAULT_SEED


def tell_difference(artefact: Path, manifest: Manifest, dataset: DataSet) -> None:
    """One line on stderr where these data, or their split, are not those of the training."""
    trained = manifest.trained_on
    if trained.fingerprint != dataset.fingerprint:
        say(
            f"note: {artefact.name} was trained on other data ({trained.dataset}) than "
            f"{dataset.name} holds now; where they share pictures, some that it learned from may "
            "be in another split here"
        )
    elif trained.split != dataset.split_rule:
        say(
            f"note: {artefact.name} was trained on another split ({trained.split}) than this one "
            f"({dataset.split_rule}), so it may have learned from pictures of val and test; "
            "give the --pairs, and the seed of the split, of its training"
        )


def tell_earlier_split(artefact: Path, dataset: DataSet) -> None:
    """One line on stderr where weights that a run begins with, or learns from, come from a run on
    these very data that split them in another way."""
    try:
        manifest = read_manifest(artefact)
    except ManifestError:  # weights of another program, or without their manifest
        return
    if manifest.trained_on.fingerprint == dataset.fingerprint:
        tell_difference(artefact, manifest, dataset)


def _table_of_run(artefact: Path, data: str) -> Path | None:
    """The table of pairs of the run in whose folder the artefact lies, where `data` is its data."""
    try:
        known = read_settings(artefact.parent)
    except DataError:
        return None
    same = known.data != SYNTHETIC and Path(known.data).resolve() == Path(data).resolve()
    return Path(known.pairs) if same and known.pairs else None
