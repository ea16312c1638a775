"""A run: one model, one or several sources, each with its own sinks and in threads of its own."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from runtime.errors import FloodError, SinkError
from runtime.model import Model
from runtime.observe import Network
from runtime.pipeline import run_pipeline
from runtime.shared import SharedModel
from runtime.sinks import Outputs, Sinks, open_sinks
from runtime.sources import LiveOptions, Source, open_source
from runtime.sources.patience import in_background, wait_for
from runtime.stopping import Stop
from runtime.tally import Tally

LOOK_S = 0.05
"""How often the main thread looks after windows, signals and who has finished."""
TOGETHER_S = 3.0
"""How long several sources wait for one whose server does not answer, before they begin."""
GRACE_S = 1.0
"""How long a camera may take to end once it was asked to."""
DISK_S = 0.3
"""How long each of its sinks may then still take."""


class Camera:
    """One source with its sinks, from its opening to its summary."""

    def __init__(self, name: str, source: Source, outputs: Outputs, sinks: Sinks) -> None:
        self.name, self.source = name, source
        self.outputs, self.sinks = outputs, sinks
        self.tally = Tally()
        self.error: BaseException | None = None
        self.finished = threading.Event()

    def run(self, model: Network, **options: Any) -> None:
        """Runs until the source ends; an error is kept, so that other cameras go on."""
        try:
            with self.sinks:
                run_pipeline(self.source, model, self.sinks, self.tally, **options)
        except BaseException as error:
            self.error = error
        finally:
            self.finished.set()

    def summary(self) -> dict[str, Any]:
        """What the camera did, as plain values."""
        done = {"source": self.source.info.uri, **self.tally.summary()}
        sinks = self.sinks.summary()
        if "ms" in done:
            done["ms"] |= {name: sink.pop("ms") for name, sink in sinks.items()}
        return {**done, "sinks": sinks} if sinks else done

    def fault(self) -> BaseException | None:
        """Why the run has to end with exit code 1, None when all is well."""
        if self.error is not None:
            return self.error
        return self.tally.fault() or self.sinks.fault()


def outputs_of(outputs: Outputs, name: str) -> Outputs:
    """The same outputs in a folder of the camera's own: out/a.mp4 becomes out/NAME/a.mp4."""

    def moved(path: Path | None) -> Path | None:
        return None if path is None else path.parent / name / path.name

    return dataclasses.replace(
        outputs,
        video=moved(outputs.video),
        masks=moved(outputs.masks),
        log=moved(outputs.log),
        csv=moved(outputs.csv),
    )


def outputs_of_each(outputs: Outputs, cameras: int) -> list[Outputs]:
    """The outputs of camera-1, camera-2 and so on; those of a single one are as they are."""
    if cameras == 1:
        return [outputs]
    return [outputs_of(outputs, f"camera-{number}") for number in range(1, cameras + 1)]


@contextmanager
def open_cameras(
    uris: Sequence[str], outputs: Outputs, show: bool, live: LiveOptions | None = None
) -> Iterator[tuple[list[Camera], Callable[[], bool]]]:
    """All sources with their sinks, and a function that shows their windows in the main thread
    and says whether the user still wants them. Raises SourceError or SinkError."""
    cameras: list[Camera] = []
    windows = []
    with ExitStack() as opened:
        screen = None
        if show:
            from runtime.sinks.window import Window, open_screen

            screen = open_screen()
            opened.callback(screen.close)
        for number, source in enumerate(_open_together(uris, live, opened), 1):
            name = f"camera-{number}"
            mine = outputs if len(uris) == 1 else outputs_of(outputs, name)
            window = Window(f"{name}: {source.info.uri}", source.info.live) if show else None
            sinks = open_sinks(mine, source.info, window)
            opened.callback(sinks.close, DISK_S)
            windows.append(window)
            cameras.append(Camera(name, source, mine, sinks))

        def look() -> bool:
            pictures = [(each.title, each.picture) for each in windows if each is not None]
            return screen is None or all(
                [screen.show(title, picture) for title, picture in pictures if picture is not None]
            )

        yield cameras, look


def _open_together(
    uris: Sequence[str], live: LiveOptions | None, opened: ExitStack
) -> list[Source]:
    """All sources at once, so that one that hangs does not hold back the others."""
    if len(uris) > 1:
        live = dataclasses.replace(live or LiveOptions(), start_s=TOGETHER_S)
    opening = [in_background(partial(open_source, uri, live)) for uri in uris]
    for each in opening:
        wait_for(each)
    for each in opening:
        if each.exception() is None:
            opened.enter_context(each.result())
    return [each.result() for each in opening]


def run_cameras(
    cameras: Sequence[Camera],
    model: Model,
    stop: Stop,
    look: Callable[[], bool] = lambda: True,
    **options: Any,
) -> bool:
    """Runs all cameras at once until each has ended or the run was asked to stop.

    options: those of run_pipeline. look: called often, in this thread; False asks the run to stop.
    A camera that does not end in time once it was asked to is left to the end of the process;
    False when there was one.
    """
    shared = SharedModel(model)
    for camera in cameras:
        threading.Thread(
            target=camera.run,
            args=(shared,),
            kwargs={"stopped": stop, **options},
            name=camera.name,
            daemon=True,
        ).start()
    give_up_s: float | None = None
    while waiting := [camera for camera in cameras if not camera.finished.is_set()]:
        if not look():
            stop.requested = True
        waiting[0].finished.wait(LOOK_S)
        if stop.requested:
            give_up_s = give_up_s or time.monotonic() + GRACE_S
            if time.monotonic() > give_up_s:
                break
    for camera in waiting:
        with suppress(FloodError):
            camera.sinks.close(DISK_S)
    return not waiting


def unfinished(cameras: Sequence[Camera]) -> SinkError:
    """What to tell about cameras that were left to the end of the process."""
    names = ", ".join(camera.name for camera in cameras if not camera.finished.is_set())
    return SinkError(
        f"{names}: still busy {GRACE_S:.0f} s after the request to stop; left as it is"
    )
