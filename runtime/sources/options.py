"""How live sources are asked for frames, and how patient one is with them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from runtime.errors import SourceError

Transport = Literal["tcp", "udp"]


@dataclass(frozen=True, kw_only=True)
class LiveOptions:
    """Wishes and limits for cameras and streams; files and pictures have none.

    size: (height, width) and fps: the mode that a camera is asked for, None leaves it to the
    camera. latency_ms: how long a stream may wait for packets that are late, None leaves it to
    FFmpeg. transport: how RTSP carries its packets. give_up_after_s: seconds without a frame after
    which a source that was lost, or is not there, is an error; None never gives up. start_s: how
    long opening a stream waits for it before it goes on in the background, and counts as live.
    open_timeout_s, read_timeout_s: how long a stream may take to open, and to give its next frame.
    frozen_after_s: the same picture for this many seconds counts as lost; None takes it for a still
    scene.
    repeat_s: how long the same picture is given on as if it were new. first_pause_s,
    longest_pause_s: bounds of the pauses between attempts to reconnect, which double each time.
    """

    size: tuple[int, int] | None = None
    fps: float | None = None
    latency_ms: int | None = None
    transport: Transport = "tcp"
    give_up_after_s: float | None = None
    start_s: float = 12.0
    open_timeout_s: float = 10.0
    read_timeout_s: float = 5.0
    frozen_after_s: float | None = 10.0
    repeat_s: float = 0.5
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0


def live_options(
    size: str | None,
    fps: float | None,
    latency_ms: int | None,
    transport: str,
    give_up_after_s: float | None,
    frozen_after_s: float,
) -> LiveOptions:
    """The options as people write them. size: "HEIGHTxWIDTH". Raises SourceError."""
    match = None if size is None else re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", size, re.ASCII)
    if size is not None and match is None:
        raise SourceError(f"the size is '{size}'; wanted HEIGHTxWIDTH, such as 720x1280")
    if transport not in ("tcp", "udp"):
        raise SourceError(f"the transport is '{transport}'; wanted tcp or udp")
    return LiveOptions(
        size=(int(match[1]), int(match[2])) if match else None,
        fps=fps,
        latency_ms=latency_ms,
        transport=cast("Transport", transport),
        give_up_after_s=give_up_after_s,
        frozen_after_s=frozen_after_s or None,
    )
