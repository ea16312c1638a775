"""Holds a finished artefact to the checkpoint it came from: `python -m export.verify ARTEFACT`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from export.arguments import RUNS, changed_limits
from export.artefacts import Exported
from export.certificate import Verdict, certify, grant
from export.frames import COUNT, find_data, proof_frames
from export.parity import LIMITS
from export.proof import prove
from export.report import as_dictionary, show
from runtime.console import run, say
from runtime.errors import FloodError, ModelError
from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest
from train.checkpoint import load_checkpoint

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def verify(
    artefact: Annotated[Path, typer.Argument(help="An exported model with its manifest.")],
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="CHECKPOINT", help="What it was exported from; default: found in runs/."
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DIR", help="Photographs to compare on; default: the checkpoint's own."
        ),
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Pairs and splits of the photographs.")
    ] = None,
    frames: Annotated[int, typer.Option(min=1, metavar="N", help="How many frames.")] = COUNT,
    atol: Annotated[
        float | None,
        typer.Option(min=0, metavar="LOGITS", help="Limit of the largest logit difference."),
    ] = None,
    max_flipped: Annotated[
        float | None,
        typer.Option(min=0, max=1, metavar="SHARE", help="Limit of mask pixels that flip."),
    ] = None,
    max_water: Annotated[
        float | None,
        typer.Option(min=0, max=1, metavar="SHARE", help="Limit of the water fraction's error."),
    ] = None,
    max_drop: Annotated[
        float | None,
        typer.Option(min=0, max=1, metavar="IOU", help="Limit of the IoU that may be lost."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the certificate as JSON.")] = False,
) -> None:
    """Compare an exported model with PyTorch on real frames; exit 1 when it differs too much."""
    manifest = read_manifest(artefact)
    limits = changed_limits(
        LIMITS[manifest.precision],
        max_abs=atol,
        flipped=max_flipped,
        fraction_difference=max_water,
        iou_drop=max_drop,
    )
    verdict = verify_artefact(artefact, manifest, limits, against, data, pairs, frames)
    row = Exported(path=artefact, manifest=manifest, certificate=verdict.certificate)
    if as_json:
        typer.echo(json.dumps(as_dictionary(row)))
    else:
        show([row])
    grant(verdict, artefact)
    say(f"{artefact} stays within the limits for {manifest.precision}; its certificate is new")


def verify_artefact(
    artefact: Path,
    manifest: Manifest,
    limits: Mapping[str, float],
    against: Path | None,
    data: str | None,
    pairs: Path | None,
    count: int = COUNT,
) -> Verdict:
    """Measures an artefact against its checkpoint. Raises FloodError, but not for large numbers."""
    checkpoint = against or find_checkpoint(manifest.provenance.checkpoint_sha256)
    network, trained = load_checkpoint(checkpoint)
    if trained.artefact_sha256 != manifest.provenance.checkpoint_sha256:
        raise ModelError(
            f"{artefact} was not exported from {checkpoint} (sha256 "
            f"{trained.artefact_sha256[:12]}…, its manifest names "
            f"{manifest.provenance.checkpoint_sha256[:12]}…); name the right one with --against"
        )
    data_set, reason = find_data(checkpoint, trained, data, pairs)
    say(reason)
    proof = prove(network, manifest, proof_frames(data_set, manifest, count))
    return certify(artefact, artefact, manifest, proof, limits)


def find_checkpoint(sha256: str, runs: Path = RUNS) -> Path:
    """The checkpoint with this hash among all runs. Raises ModelError."""
    for path in sorted(runs.glob("*/*.safetensors")):
        try:
            if read_manifest(path).artefact_sha256 == sha256:
                return path
        except FloodError:
            continue  # a damaged neighbour must not keep the right one from being found
    raise ModelError(
        f"no checkpoint in {runs}/ is the one this model was exported from "
        f"(sha256 {sha256[:12]}…); name it with --against"
    )


if __name__ == "__main__":
    run(app)
