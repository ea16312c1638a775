"""A run of the command line, from sources, a model and outputs to what is said of it at the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import typer

from runtime.cameras import Camera, open_cameras, run_cameras, unfinished
from runtime.certificate import certificate_line
from runtime.console import say
from runtime.model import Model
from runtime.report import live_lines, tell
from runtime.sinks import Outputs
from runtime.sources import LiveOptions
from runtime.stopping import end_at_once, end_if_asked, stop_on_signals

STOPPED = "stopped on request; all files are complete"


def segment_sources(
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
    """Runs all sources through one model and says how that went.

    Raises the first one's fault, and Stopped for a signal that came before the first frame. Ends
    the process where a source or a disk keeps it from ending.
    """
    with (
        stop_on_signals() as stop,
        load(model_path) as loaded,
        open_cameras(uris, outputs, show, live) as (cameras, look),
    ):
        end_if_asked()
        _say_what_runs(loaded, model_path, cameras)
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
    _say_what_is_written(cameras)


def _say_what_runs(model: Model, asked: Path, cameras: Sequence[Camera]) -> None:
    for reason in model.remarks:
        say(reason)
    say(certificate_line(model.path or asked, model.manifest))
    for camera in cameras:
        say(f"{camera.source.info.uri} -> {model.path} on {model.backend.name}")


def _say_what_is_written(cameras: Sequence[Camera]) -> None:
    paths = [path for camera in cameras for path in camera.outputs.paths]
    written = [str(path) for path in paths if path.exists()]
    if written:
        say(f"written: {', '.join(written)}")
