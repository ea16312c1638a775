"""The command line `flood-runtime`: cameras, video and pictures in, masks out.

OpenCV, NumPy and the backends are imported inside the commands, so that --help answers at once.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import runtime
from runtime.console import run, say
from runtime.engine_cli import build
from runtime.errors import ModelError, SourceError

if TYPE_CHECKING:
    from runtime.sinks import Outputs

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command()(build)


def main() -> None:
    """Entry point of the console script."""
    run(app)


def default_model() -> Path:
    """The model to run when none is named: the newest exports/*/model.onnx. Raises ModelError."""
    found = sorted(Path("exports").glob("*/model.onnx"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise ModelError(
            "no model: there is no exports/*/model.onnx here; name one with --model, "
            "or make one with 'python -m train' and 'python -m export'"
        )
    say(f"model: {found[-1]} (the newest export; choose another with --model)")
    return found[-1]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"flood-runtime {runtime.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def segment(
    context: typer.Context,
    camera: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="USB camera number, short for --source N."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="URI",
            help="0, /dev/video0, v4l2://0, csi://0, rtsp://..., http(s)://..., "
            "a file, a folder or a 'glob*'.",
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Exported model; default: the newest export."),
    ] = None,
    backend: Annotated[
        str, typer.Option(metavar="NAME", help="What runs the model; auto chooses.")
    ] = "auto",
    save: Annotated[
        Path | None, typer.Option(metavar="VIDEO", help="Write an overlay video (.mp4).")
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write a mask per frame as PNG, 255 is water."),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(metavar="JSONL", help="Write a line per frame: time, water fraction, stages."),
    ] = None,
    max_frames: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop after N frames.")
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
        return
    if (camera is None) == (source is None):
        raise typer.BadParameter("give one source: --camera N or --source URI", context)
    from runtime.sinks import Outputs

    summary = _segment(
        uri=str(camera) if source is None else source,
        model_path=model or default_model(),
        backend=backend,
        outputs=Outputs(video=save, masks=masks, log=log),
        max_frames=max_frames,
    )
    if as_json:
        typer.echo(json.dumps(summary))
    if failed := summary["frames"]["failed"]:
        raise SourceError(f"{failed} of {summary['frames']['seen']} frames could not be read")


def _segment(
    uri: str, model_path: Path, backend: str, outputs: Outputs, max_frames: int | None
) -> dict[str, Any]:
    """Runs one source through one model, says how that went, and returns the summary."""
    from runtime.model import load_model
    from runtime.pipeline import Tally, run_pipeline
    from runtime.report import live_line, summary_lines
    from runtime.sinks import open_sinks
    from runtime.sources import open_source
    from runtime.stopping import stop_on_signals

    with (
        load_model(model_path, backend) as model,
        open_source(uri) as source,
        stop_on_signals() as stop,
    ):
        say(f"{source.info.uri} -> {model_path} on {model.backend.name}")
        tally = Tally()
        try:
            with (
                open_sinks(outputs, source.info) as sinks,
                live_line(source.info, max_frames) as progress,
            ):
                run_pipeline(
                    source,
                    model,
                    sinks,
                    tally,
                    max_frames=max_frames,
                    stopped=stop,
                    progress=progress,
                )
        finally:
            summary = tally.summary()
            if tally.counts.seen:
                say("\n".join(summary_lines(summary)))
        if stop.requested:
            say("stopped on request; all files are complete")
    written = [path for path in (outputs.video, outputs.masks, outputs.log) if path is not None]
    if written:
        say(f"written: {', '.join(map(str, written))}")
    return {"source": source.info.uri, "model": str(model_path), **summary}


if __name__ == "__main__":
    main()
