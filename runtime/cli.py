"""The command line `flood-runtime`: cameras, video and pictures in, masks out.

OpenCV, NumPy and the backends are imported inside the commands, so that --help answers at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import runtime
from runtime.arguments import finite, local_path
from runtime.console import run, say
from runtime.doctor import doctor
from runtime.engine_cli import build
from runtime.stopping import (
    Stopped,
    end_at_once,
    end_if_asked,
    interrupt_on_signals,
    stop_on_signals,
)

if TYPE_CHECKING:
    from runtime.model import Model
    from runtime.sinks import Outputs
    from runtime.sources import LiveOptions

MOST_FRAMES = 10**15
STOPPED = "stopped on request; all files are complete"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command()(build)
app.command()(doctor)


def main() -> None:
    """The whole command line; a signal asks a run to end from here on."""
    with stop_on_signals():
        run(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"flood-runtime {runtime.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def segment(
    context: typer.Context,
    camera: Annotated[
        list[int] | None,
        typer.Option(min=0, metavar="N", help="USB camera number, short for --source N."),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URI",
            help="0, /dev/video0, v4l2://0, csi://0, rtsp://..., http(s)://..., "
            "a file, a folder or a 'glob*'. Repeat it for several cameras: the outputs of the "
            "first then go to a folder camera-1 beside where they would go alone, and so on.",
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            callback=local_path, metavar="FILE", help="Exported model; default: the one that ships."
        ),
    ] = None,
    backend: Annotated[
        str, typer.Option(metavar="NAME", help="What runs the model; auto chooses.")
    ] = "auto",
    save: Annotated[
        Path | None,
        typer.Option(
            callback=local_path, metavar="VIDEO", help="Write an overlay video (.mp4, .mov, .mkv)."
        ),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(
            callback=local_path, metavar="DIR", help="Write a mask per frame as PNG, 255 is water."
        ),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(
            callback=local_path,
            metavar="JSONL",
            help="Write a line per frame: time, water fraction, stages.",
        ),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(callback=local_path, metavar="FILE", help="Write a row per frame as CSV."),
    ] = None,
    log_max_mb: Annotated[
        float,
        typer.Option(
            min=0.001,
            callback=finite,
            metavar="MB",
            help="Begin a new log and CSV file at this size.",
        ),
    ] = 100.0,
    log_keep: Annotated[
        int, typer.Option(min=0, metavar="N", help="Keep N full ones, as NAME.1, NAME.2, ...")
    ] = 9,
    show: Annotated[
        bool, typer.Option("--show", help="Show the overlay in a window; q ends the run.")
    ] = False,
    size: Annotated[
        str | None,
        typer.Option(metavar="HxW", help="Ask a camera for this size, such as 720x1280."),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(min=0.1, callback=finite, metavar="N", help="Ask a camera for N frames/s."),
    ] = None,
    latency: Annotated[
        int | None,
        typer.Option(min=0, metavar="MS", help="How long a stream may wait for late packets."),
    ] = None,
    transport: Annotated[
        str, typer.Option(metavar="tcp|udp", help="How RTSP carries its packets.")
    ] = "tcp",
    give_up_after: Annotated[
        float | None,
        typer.Option(
            min=0,
            callback=finite,
            metavar="S",
            help="End when a camera or stream was away, or not there, for S seconds; "
            "default: try for ever.",
        ),
    ] = None,
    max_staleness: Annotated[
        float,
        typer.Option(
            min=0.01,
            callback=finite,
            metavar="S",
            help="Drop frames of live sources older than this.",
        ),
    ] = 0.5,
    frozen_after: Annotated[
        float,
        typer.Option(
            min=0,
            callback=finite,
            metavar="S",
            help="Reconnect when a live picture has not changed for S seconds; 0: never.",
        ),
    ] = 10.0,
    input_size: Annotated[
        str | None,
        typer.Option(
            metavar="HxW", help="Run the network at this size; for --dynamic-size exports."
        ),
    ] = None,
    rebuild: Annotated[
        bool,
        typer.Option(
            "--rebuild/--no-rebuild",
            help="Build an engine that does not fit this machine anew from the graph beside it.",
        ),
    ] = True,
    max_frames: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST_FRAMES, metavar="N", help="Stop after N frames of each source."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON on stdout.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Find water in a camera's, a video's or pictures' frames."""
    if context.invoked_subcommand is not None:
        interrupt_on_signals()
        return
    uris = [*map(str, camera or []), *(source or [])]
    if not uris:
        raise typer.BadParameter("give a source: --camera N or --source URI", context)
    from runtime.cameras import outputs_of_each
    from runtime.model import load_model
    from runtime.shipped import shipped_model
    from runtime.sinks import Outputs
    from runtime.sinks.overlap import refuse_overlaps
    from runtime.sizes import parse_size
    from runtime.sources import all_files, files_of, live_options

    model = model or shipped_model()
    outputs = Outputs(
        video=save, masks=masks, log=log, csv=csv, log_max_mb=log_max_mb, log_keep=log_keep
    )
    refuse_overlaps([model, *files_of(uris)], outputs_of_each(outputs, len(uris)))
    try:
        _segment(
            uris=uris,
            model_path=model,
            load=partial(
                load_model,
                backend=backend,
                input_size=parse_size(input_size) if input_size else None,
                rebuild=rebuild,
                throughput=all_files(uris),
            ),
            outputs=outputs,
            live=live_options(size, fps, latency, transport, give_up_after, frozen_after),
            max_staleness_s=max_staleness,
            show=show,
            max_frames=max_frames,
            as_json=as_json,
        )
    except Stopped:
        say(STOPPED)
        end_at_once(0)  # what hangs while it is opened would be waited for


def _segment(
    uris: Sequence[str],
    model_path: Path,
    load: Callable[[Path], Model],
    outputs: Outputs,
    live: LiveOptions,
    max_staleness_s: float,
    show: bool,
    max_frames: int | None,
    as_json: bool,
) -> None:
    """Runs all sources through one model and says how that went. Raises the first one's fault."""
    from runtime.cameras import open_cameras, run_cameras, unfinished
    from runtime.certificate import certificate_line
    from runtime.report import live_lines, tell

    with (
        stop_on_signals() as stop,
        load(model_path) as loaded,
        open_cameras(uris, outputs, show, live) as (cameras, look),
    ):
        end_if_asked()
        for reason in loaded.passed_over:
            say(reason)
        say(certificate_line(loaded.path or model_path, loaded.manifest))
        for camera in cameras:
            say(f"{camera.source.info.uri} -> {loaded.path} on {loaded.backend.name}")
        with live_lines(cameras, max_frames) as update:

            def each_time() -> bool:
                update()
                return look()

            all_ended = run_cameras(
                cameras,
                loaded,
                stop,
                each_time,
                max_frames=max_frames,
                max_staleness_s=max_staleness_s,
            )
        tell(cameras)
        if as_json:
            summaries = [{"model": str(model_path), **camera.summary()} for camera in cameras]
            typer.echo(json.dumps(summaries[0] if len(uris) == 1 else {"sources": summaries}))
        if not all_ended:
            say(f"error: {unfinished(cameras)}")
            end_at_once(1)
    faults = [fault for camera in cameras if (fault := camera.fault()) is not None]
    if faults:
        raise faults[0]
    if stop.requested:
        say(STOPPED)
    paths = [path for camera in cameras for path in camera.outputs.paths]
    written = [str(path) for path in paths if path.exists()]
    if written:
        say(f"written: {', '.join(written)}")


if __name__ == "__main__":
    main()
