"""The command line `flood-runtime`: cameras, video and pictures in, masks out.

OpenCV, NumPy and the backends are imported inside the commands, so that --help answers at once.
"""

from __future__ import annotations

from functools import partial

import typer

from runtime import cli_options as options
from runtime.console import run, say
from runtime.doctor import doctor
from runtime.engine_cli import build
from runtime.stopping import Stopped, end_at_once, interrupt_on_signals, stop_on_signals

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command()(build)
app.command()(doctor)


def main() -> None:
    """The whole command line; a signal asks a run to end from here on."""
    with stop_on_signals():
        run(app)


@app.callback(invoke_without_command=True)
def segment(
    context: typer.Context,
    camera: options.CameraNumbers = None,
    source: options.SourceUris = None,
    model: options.ModelFile = None,
    backend: options.BackendName = "auto",
    save: options.SaveVideo = None,
    masks: options.MaskFiles = None,
    log: options.LogFile = None,
    csv: options.CsvFile = None,
    log_max_mb: options.LogMaxMb = 100.0,
    log_keep: options.LogKeep = 9,
    show: options.Show = False,
    size: options.FrameSize = None,
    fps: options.Fps = None,
    latency: options.LatencyMs = None,
    transport: options.TransportName = "tcp",
    give_up_after: options.GiveUpAfterS = None,
    max_staleness: options.MaxStalenessS = 0.5,
    frozen_after: options.FrozenAfterS = 10.0,
    input_size: options.InputSize = None,
    rebuild: options.Rebuild = True,
    max_frames: options.MaxFrames = None,
    as_json: options.AsJson = False,
    version: options.Version = False,
) -> None:
    """Find water in a camera's, a video's or pictures' frames."""
    if context.invoked_subcommand is not None:
        _refuse_options_of_a_run(context, context.invoked_subcommand)
        interrupt_on_signals()
        return
    uris = [*map(str, camera or []), *(source or [])]
    if not uris:
        raise typer.BadParameter("give a source: --camera N or --source URI", context)
    from runtime.cameras import outputs_of_each
    from runtime.model import load_model
    from runtime.segment import STOPPED, segment_sources
    from runtime.shipped import shipped_model
    from runtime.sinks import Outputs
    from runtime.sinks.overlap import refuse_overlaps
    from runtime.sizes import parse_size
    from runtime.sources import all_files, files_of, live_options

    model = model or shipped_model()
    outputs = Outputs(
        video=save, masks=masks, log=log, csv=csv, log_max_mb=log_max_mb, log_keep=log_keep
    )
    if all_files(uris):
        _refuse_wishes({"--size": size, "--fps": fps, "--latency": latency})
    refuse_overlaps([model, *files_of(uris)], outputs_of_each(outputs, len(uris)))
    try:
        segment_sources(
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


def _refuse_wishes(wishes: dict[str, object]) -> None:
    """What only cameras and streams can be asked for would be passed over by files."""
    for name, value in wishes.items():
        if value is not None:
            raise typer.BadParameter(
                f"{name} {value} asks a camera or stream, and all sources are files, which are "
                f"read frame by frame as they are; leave {name} out"
            )


def _refuse_options_of_a_run(context: typer.Context, command: str) -> None:
    """They would be passed over, and a doctor look at another model than the one that was named."""
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        if source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(
                f"{option.opts[0]} belongs to a run; wanted the options of {command} behind its "
                f"name: {context.info_name} {command} --help"
            )


if __name__ == "__main__":
    main()
