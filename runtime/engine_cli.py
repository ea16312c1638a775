"""`flood-runtime build`: an engine for this machine's GPU, from an exported graph."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runtime.arguments import local_path


def build(
    graph: Annotated[
        Path | None,
        typer.Argument(
            parser=local_path,
            metavar="[MODEL.onnx]",
            help="An exported graph with its manifest; default: the model that ships.",
        ),
    ] = None,
    builder: Annotated[
        str, typer.Option(metavar="NAME", help="auto, tensorrt or tensorrt-rtx.")
    ] = "auto",
    size: Annotated[
        str | None,
        typer.Option(metavar="HxW", help="Input size, for a graph exported with --dynamic-size."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            parser=local_path,
            metavar="DIR",
            help="Where to; default: beside the graph, here for the one that ships.",
        ),
    ] = None,
) -> None:
    """Build an engine for this machine; the precision is the graph's."""
    from runtime.console import say
    from runtime.engine import build_engine
    from runtime.engine_plan import plan_engine
    from runtime.manifest_file import read_manifest
    from runtime.sizes import parse_size

    if graph is None:
        graph, out = _shipped_graph(builder), out or Path()
    engine = build_engine(plan_engine(graph, builder, out, parse_size(size) if size else None))
    for where, (half, layers) in read_manifest(engine).half_layers.items():
        say(f"half precision in the {where}: {half} of {layers} layers")
    typer.echo(engine)


def _shipped_graph(builder: str) -> Path:
    """What ships for this builder: FP16, or INT8 for versions that are told FP16 by a flag and make
    it of a float32 graph, which is too large to ship."""
    from runtime.engine_library import find_builder
    from runtime.shipped import shipped_model

    _, dialect, _ = find_builder(builder)
    return shipped_model("fp16" if dialect.fp16_graph == "fp16" else "int8 for TensorRT")
