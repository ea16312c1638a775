"""A builder's phases as one progress bar, and its errors as one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.progress import Progress, TaskID

from runtime.errors import BackendError

if TYPE_CHECKING:
    import tensorrt


class BuildState:
    """What the builder's thread and the waiting main thread share."""

    def __init__(self) -> None:
        self.cancelled = False
        self.errors: list[str] = []


def progress_monitor(trt: Any, progress: Progress, state: BuildState) -> tensorrt.IProgressMonitor:
    """A monitor of this library that draws nested phases and ends the build once cancelled."""

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.tasks: dict[str, TaskID] = {}

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            indent = "  " if parent_phase else ""
            self.tasks[phase_name] = progress.add_task(indent + phase_name, total=num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            progress.update(self.tasks[phase_name], completed=step)
            return not state.cancelled

        def phase_finish(self, phase_name: str) -> None:
            progress.remove_task(self.tasks.pop(phase_name))

    monitor: tensorrt.IProgressMonitor = Monitor()
    return monitor


def error_collector(trt: Any, state: BuildState) -> tensorrt.ILogger:
    """A logger that keeps errors for the one line that the user will see."""

    class Collector(trt.ILogger):  # type: ignore[misc]
        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR):
                state.errors.append(message)

    logger: tensorrt.ILogger = Collector()
    return logger


def started(trt: Any, kind: str, state: BuildState) -> Any:
    """This library's "Builder" or "Runtime", whose errors `state` keeps. Raises BackendError where
    it does not start, as on a GPU that the library does not know."""
    try:
        return getattr(trt, kind)(error_collector(trt, state))
    except TypeError as error:  # what the bindings make of getting none
        reason = state.errors[0] if state.errors else "it gave no reason"
        raise BackendError(
            f"{trt.__name__} {trt.__version__} does not start here: {reason.strip()}; "
            "see what does with: flood-runtime doctor"
        ) from error
