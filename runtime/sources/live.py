"""Cameras and streams: frames that come by the clock."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING

import cv2

from runtime.errors import SourceError
from runtime.images import Frame
from runtime.sources.address import Address, redact
from runtime.sources.base import SourceInfo
from runtime.sources.capture import Capture, timed_read

if TYPE_CHECKING:
    from typing_extensions import Self

TIMEOUT_MS = 5000
"""How long a stream may take to open and to give its next frame."""

CSI_PIPELINE = (
    "nvarguscamerasrc sensor-id={sensor} ! video/x-raw(memory:NVMM) ! nvvidconv ! "
    "video/x-raw,format=BGRx ! videoconvert ! video/x-raw,format=BGR ! "
    "appsink drop=true max-buffers=1 sync=false"
)
"""NVIDIA's camera stack on Jetson, ending in the newest frame as BGR."""


class LiveSource:
    """A camera or a network stream. Timestamps are Unix time, taken when a frame arrives."""

    def __init__(self, uri: str, address: Address) -> None:
        """Raises SourceError when the camera or stream does not open."""
        self._shown = redact(uri)
        self._capture = _open(address)
        self.failed = 0
        if not self._capture.is_open:
            raise SourceError(_advice(address))
        fps = self._capture.number(cv2.CAP_PROP_FPS)
        self.info = SourceInfo(uri=self._shown, live=True, fps=fps, frame_count=None)

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while (got := timed_read(self._capture)) is not None:
            image, _, read_ms = got
            yield Frame(
                image=image,
                index=index,
                timestamp_s=time.time(),
                name=f"{index:06d}",
                read_ms=read_ms,
            )
            index += 1
        raise SourceError(
            f"{self._shown} stopped after {index} frames (no frame for {TIMEOUT_MS // 1000} s, or "
            "it ended); check the cable, the power and the network, and start again"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._capture.close()


def _open(address: Address) -> Capture:
    if address.kind == "camera" and sys.platform.startswith("linux"):
        return Capture(address.where, cv2.CAP_V4L2)
    if address.kind == "camera":
        return Capture(int(address.where.removeprefix("/dev/video")), cv2.CAP_ANY)
    if address.kind == "csi":
        if not cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
            raise SourceError(
                f"csi://{address.where} needs OpenCV with GStreamer, which this one lacks; on a "
                "Jetson use the OpenCV of JetPack, or the image of Dockerfile.jetson"
            )
        return Capture(CSI_PIPELINE.format(sensor=address.where), cv2.CAP_GSTREAMER)
    open_timeout = (cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, TIMEOUT_MS)
    read_timeout = (cv2.CAP_PROP_READ_TIMEOUT_MSEC, TIMEOUT_MS)
    return Capture(address.where, cv2.CAP_FFMPEG, open_timeout + read_timeout)


def _advice(address: Address) -> str:
    if address.kind == "camera":
        return (
            f"no camera at {address.where}; plug one in, check that no other program uses it "
            "and that you are in the group 'video', or name another with --camera or --source"
        )
    if address.kind == "csi":
        return (
            f"no CSI camera {address.where}; check its cable and that nvargus-daemon runs "
            "(test it with: nvgstcapture-1.0)"
        )
    return (
        f"cannot open {redact(address.where)} within {TIMEOUT_MS // 1000} s; check the address, "
        "user name and password, and that the stream plays elsewhere (for example in VLC)"
    )
