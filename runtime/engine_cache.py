"""How long each kernel took, kept on disk, so that the next build of an engine is faster."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from runtime.console import say
from runtime.engine_progress import BuildState
from runtime.engine_versions import Dialect
from runtime.errors import SinkError
from runtime.files import write_bytes
from runtime.gpu import Gpu

if TYPE_CHECKING:
    import tensorrt


def cache_path(dialect: Dialect, version: str, gpu: Gpu | None) -> Path | None:
    """Where the timings of a library's version on a GPU belong; None where it keeps none."""
    if not dialect.timing_cache or gpu is None:
        return None
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    name = f"{dialect.library}-{version}-sm{gpu.compute_capability}.timing"
    return home / "flood-runtime" / name


def give_timings(config: tensorrt.IBuilderConfig, path: Path, state: BuildState) -> None:
    """Gives the builder the timings of earlier builds, where there are any that it can read."""
    known = b""
    with contextlib.suppress(OSError):
        known = path.read_bytes()
    if not config.set_timing_cache(config.create_timing_cache(known), ignore_mismatch=False):
        config.set_timing_cache(config.create_timing_cache(b""), ignore_mismatch=False)
    state.errors.clear()  # what is said of a damaged cache is not why a build fails


def keep_timings(config: tensorrt.IBuilderConfig, path: Path) -> None:
    """Keeps what the builder has timed; where that cannot be written, one line says so."""
    timings = config.get_timing_cache()
    if timings is None:
        return
    try:
        write_bytes(path, bytes(timings.serialize()))
    except SinkError as error:
        say(f"the next build will not be faster: {error}")
