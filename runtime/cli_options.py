"""The options of a run: what each is called, takes and says of itself in --help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import runtime
from runtime.arguments import finite, local_path

MOST_FRAMES = 10**15


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"flood-runtime {runtime.__version__}")
        raise typer.Exit


CameraNumbers = Annotated[
    list[int] | None,
    typer.Option(min=0, metavar="N", help="USB camera number, short for --source N."),
]
SourceUris = Annotated[
    list[str] | None,
    typer.Option(
        metavar="URI",
        help="0, /dev/video0, v4l2://0, csi://0, rtsp://..., http(s)://..., "
        "a file, a folder or a 'glob*'. Repeat it for several cameras: the outputs of the "
        "first then go to a folder camera-1 beside where they would go alone, and so on.",
    ),
]
MaxFrames = Annotated[
    int | None,
    typer.Option(min=1, max=MOST_FRAMES, metavar="N", help="Stop after N frames of each source."),
]

ModelFile = Annotated[
    Path | None,
    typer.Option(
        parser=local_path, metavar="FILE", help="Exported model; default: the one that ships."
    ),
]
BackendName = Annotated[
    str, typer.Option(metavar="NAME", help="What runs the model; auto chooses.")
]
InputSize = Annotated[
    str | None,
    typer.Option(metavar="HxW", help="Run the network at this size; for --dynamic-size exports."),
]
Rebuild = Annotated[
    bool,
    typer.Option(
        "--rebuild/--no-rebuild",
        help="Build an engine that does not fit this machine anew from the graph beside it.",
    ),
]

SaveVideo = Annotated[
    Path | None,
    typer.Option(
        parser=local_path, metavar="VIDEO", help="Write an overlay video (.mp4, .mov, .mkv)."
    ),
]
MaskFiles = Annotated[
    Path | None,
    typer.Option(
        parser=local_path, metavar="DIR", help="Write a mask per frame as PNG, 255 is water."
    ),
]
LogFile = Annotated[
    Path | None,
    typer.Option(
        parser=local_path,
        metavar="JSONL",
        help="Write a line per frame: time, water fraction, stages.",
    ),
]
CsvFile = Annotated[
    Path | None,
    typer.Option(parser=local_path, metavar="FILE", help="Write a row per frame as CSV."),
]
LogMaxMb = Annotated[
    float,
    typer.Option(
        min=0.001, callback=finite, metavar="MB", help="Begin a new log and CSV file at this size."
    ),
]
LogKeep = Annotated[
    int, typer.Option(min=0, metavar="N", help="Keep N full ones, as NAME.1, NAME.2, ...")
]
Show = Annotated[bool, typer.Option("--show", help="Show the overlay in a window; q ends the run.")]

FrameSize = Annotated[
    str | None,
    typer.Option(metavar="HxW", help="Ask a camera for this size, such as 720x1280."),
]
Fps = Annotated[
    float | None,
    typer.Option(min=0.1, callback=finite, metavar="N", help="Ask a camera for N frames/s."),
]
LatencyMs = Annotated[
    int | None,
    typer.Option(min=0, metavar="MS", help="How long a stream may wait for late packets."),
]
TransportName = Annotated[
    str, typer.Option(metavar="tcp|udp", help="How RTSP carries its packets.")
]
GiveUpAfterS = Annotated[
    float | None,
    typer.Option(
        min=0,
        callback=finite,
        metavar="S",
        help="End when a camera or stream was away, or not there, for S seconds; "
        "default: try for ever.",
    ),
]
MaxStalenessS = Annotated[
    float,
    typer.Option(
        min=0.01, callback=finite, metavar="S", help="Drop frames of live sources older than this."
    ),
]
FrozenAfterS = Annotated[
    float,
    typer.Option(
        min=0,
        callback=finite,
        metavar="S",
        help="Reconnect when a live picture has not changed for S seconds; 0: never.",
    ),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON on stdout.")]
Version = Annotated[
    bool,
    typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
]
