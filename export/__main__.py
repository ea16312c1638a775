"""The command line `python -m export`: a checkpoint in, proved artefacts out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from export.arguments import ANY_BATCH, default_folder, parse_batch, usual_checkpoint
from export.artefacts import Exported, export_graph, export_int8, prepare_manifest
from export.calibration import COUNT
from export.frames import CALIBRATING, find_data, proof_frames
from export.graph import check_weights
from export.parity import LIMITS
from export.proof import prove
from export.report import show
from runtime.console import run, say
from runtime.engine import build_engine
from runtime.engine_library import find_builder
from runtime.engine_plan import for_cpus_only, plan_engine
from runtime.errors import BackendError, FloodError, ModelError, ParityError
from runtime.files import make_folder
from runtime.sizes import parse_size
from train.checkpoint import load_checkpoint
from train.models import find_kind
from train.options import probability

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def export(
    checkpoint: Annotated[
        Path | None,
        typer.Argument(
            help="A .safetensors file; default: the newest run's best, else what ships."
        ),
    ] = None,
    fp16: Annotated[bool, typer.Option("--fp16", help="Also write model.fp16.onnx.")] = False,
    int8: Annotated[
        bool, typer.Option("--int8", help="Also write INT8 graphs for CPUs and for TensorRT.")
    ] = False,
    max_drop: Annotated[
        float, typer.Option(min=0, max=1, metavar="IOU", help="IoU that INT8 may lose.")
    ] = LIMITS["int8"]["iou_drop"],
    size: Annotated[
        str | None,
        typer.Option(
            metavar="HxW", help="Input size, multiples of 16 (of smp: 32); default: as trained."
        ),
    ] = None,
    batch: Annotated[
        str, typer.Option(metavar=f"N|{ANY_BATCH}", help="Frames that one call takes.")
    ] = "1",
    dynamic_size: Annotated[
        bool,
        typer.Option(
            "--dynamic-size",
            help="Graphs that take any size; engines are still built for one, by default --size.",
        ),
    ] = False,
    threshold: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            callback=probability,
            help="Probability above which a pixel is water; default: the checkpoint's. A run's "
            "report.html shows what others give.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to; default: exports/RUN.")
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            metavar="auto|tensorrt|tensorrt-rtx|none",
            help="Also build engines; auto does where there is a builder and a GPU.",
        ),
    ] = "auto",
    data: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Photographs to prove on; default: the checkpoint's own."),
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Pairs and splits of the photographs.")
    ] = None,
) -> None:
    """Export a trained network as ONNX, proved against PyTorch on real frames."""
    batch_size = parse_batch(batch)
    if engine not in ("auto", "none"):
        find_builder(engine)  # before the minutes that exporting takes
    if checkpoint is None:
        checkpoint, which = usual_checkpoint()
        say(f"checkpoint: {checkpoint} ({which}; name another to export that)")
    network, trained = load_checkpoint(checkpoint)
    check_weights(network)
    sizes = find_kind(trained.model).sizes
    input_size = sizes.checked(parse_size(size)) if size else trained.input_size
    manifest = prepare_manifest(trained, input_size, batch_size, dynamic_size, threshold)
    data_set, reason = find_data(checkpoint, trained, data, pairs)
    folder = make_folder(out or default_folder(checkpoint))
    say(reason)
    proof = prove(network, manifest, proof_frames(data_set, manifest))
    rows: list[Exported] = []
    refused: list[FloodError] = []
    for precision in ("fp32", "fp16") if fp16 else ("fp32",):
        say(f"exporting {precision} at {manifest.input_size[0]}x{manifest.input_size[1]} ...")
        try:
            rows.append(export_graph(network, manifest, precision, folder, proof))
        except (ParityError, ModelError) as error:
            if not rows:
                raise
            refused.append(error)  # INT8 is made from the FP32 graph and may pass all the same
    if int8:
        pictures = proof_frames(data_set, manifest, COUNT, CALIBRATING)
        say(f"exporting int8, calibrated on {pictures.origin} ...")
        calibration = prove(network, manifest, pictures)
        try:
            rows += export_int8(network, manifest, folder, proof, calibration, max_drop)
        except ParityError as error:
            refused.append(error)
    show(rows)
    build_engines([row.path for row in rows if not for_cpus_only(row.manifest)], engine)
    say(f"look at {', '.join(str(row.path) for row in rows)}, each with its .json beside it")
    say(f"try it: flood-runtime --model {rows[0].path} --source PICTURES_OR_VIDEO")
    if refused:
        for earlier in refused[:-1]:
            say(f"error: {earlier}")
        raise refused[-1]


def build_engines(graphs: list[Path], builder: str) -> None:
    """An engine for each graph, by a named builder; by "auto" only where that is possible.

    Raises BackendError when a builder was named that cannot work here, ModelError.
    """
    if builder == "none":
        return
    try:
        find_builder(builder)
    except BackendError as error:
        if builder != "auto":
            raise
        return say(str(error).replace("MODEL.onnx", str(graphs[-1])))
    for graph in graphs:
        say(f"engine: {build_engine(plan_engine(graph, builder))}")


if __name__ == "__main__":
    run(app)
