"""Opening cameras and streams, and why they did not open."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

import cv2

from runtime.console import say
from runtime.errors import SourceError
from runtime.sources.address import Address, redact
from runtime.sources.capture import Capture, decoder_threads
from runtime.sources.options import LiveOptions

CSI_PIPELINE = (
    "nvarguscamerasrc sensor-id={sensor} ! video/x-raw(memory:NVMM){mode} ! nvvidconv ! "
    "video/x-raw,format=BGRx ! videoconvert ! video/x-raw,format=BGR ! "
    "appsink drop=true max-buffers=1 sync=false"
)
"""NVIDIA's camera stack on Jetson, ending in the newest frame as BGR."""

FFMPEG_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
"""The environment variable through which OpenCV hands options to FFmpeg: one set a process."""
OWN_FFMPEG_OPTIONS = os.environ.get(FFMPEG_OPTIONS, "")
DECODER_THREADS = 2
"""FFmpeg's decoders hold back a frame for each thread but the first."""


@dataclass(frozen=True)
class Fault:
    """Why a camera or stream did not open: one line without user names and passwords.

    for_good: waiting is of no use, because the address, the password or the device is wrong.
    """

    line: str
    for_good: bool


def connect_or_why(address: Address, options: LiveOptions) -> Capture | Fault:
    """An open camera or stream, or why there is none. Raises SourceError as `connect`."""
    capture = connect(address, options)
    return capture if capture.is_open else why(address, options)


def is_recording(address: Address, capture: Capture) -> bool:
    """Whether what opened is a file that has an end: one behind http://, or a whole playlist."""
    http = address.kind == "stream" and address.where.lower().startswith("http")
    return http and capture.number(cv2.CAP_PROP_FRAME_COUNT) is not None


def connect(address: Address, options: LiveOptions) -> Capture:
    """Tries to open a camera or stream; ask is_open. Raises SourceError for what cannot work."""
    if address.kind == "stream":
        return _open_stream(address.where, options)
    if address.kind == "csi":
        return _open_csi(address.where, options)
    if address.where.startswith("/dev/video") and not sys.platform.startswith("linux"):
        capture = Capture(int(address.where.removeprefix("/dev/video")), cv2.CAP_ANY)
    else:
        capture = Capture(address.where, cv2.CAP_V4L2)
    if capture.is_open:
        _choose_mode(capture, options)
    return capture


def why(address: Address, options: LiveOptions) -> Fault:
    """Why `connect` did not work."""
    if address.kind == "camera":
        return Fault(
            f"no camera at {address.where}; plug one in, check that no other program uses it "
            "and that you are in the group 'video', or name another with --camera or --source",
            for_good=True,
        )
    if address.kind == "csi":
        return Fault(
            f"no CSI camera {address.where}; check its cable and that nvargus-daemon runs "
            "(test it with: nvgstcapture-1.0)",
            for_good=True,
        )
    from runtime.sources.reachable import why_closed  # brings HTTP and TLS, for failures alone

    reason, for_good = why_closed(address.where, options.read_timeout_s)
    return Fault(f"cannot open {redact(address.where)}: {reason}", for_good)


def _open_stream(url: str, options: LiveOptions) -> Capture:
    wishes = {
        **{"rtsp_transport": options.transport, "allowed_media_types": "video"},
        **{"reconnect": "1", "reconnect_delay_max": "4"},  # a recording goes on where it broke off
    }
    if options.latency_ms is not None:
        wishes |= {"max_delay": str(options.latency_ms * 1000), "fflags": "nobuffer"}
    own = [OWN_FFMPEG_OPTIONS] if OWN_FFMPEG_OPTIONS else []
    told = "|".join([f"{k};{v}" for k, v in wishes.items()] + own)
    if os.environ.get(FFMPEG_OPTIONS) != told:  # sources open at once, and others may be reading it
        os.environ[FFMPEG_OPTIONS] = told
    parameters = {
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: round(options.open_timeout_s * 1e3),
        cv2.CAP_PROP_READ_TIMEOUT_MSEC: round(options.read_timeout_s * 1e3),
    }
    flat = [number for pair in parameters.items() for number in pair]
    return Capture(url, cv2.CAP_FFMPEG, flat + decoder_threads(DECODER_THREADS))


def _open_csi(sensor: str, options: LiveOptions) -> Capture:
    if not cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
        raise SourceError(
            f"csi://{sensor} needs OpenCV with GStreamer, which this one lacks; on a "
            "Jetson use the OpenCV of JetPack, or the image of Dockerfile.jetson"
        )
    mode = ""
    if options.size is not None:
        mode += f",height={options.size[0]},width={options.size[1]}"
    if options.fps is not None:
        mode += f",framerate={round(options.fps)}/1"
    return Capture(CSI_PIPELINE.format(sensor=sensor, mode=mode), cv2.CAP_GSTREAMER)


def _choose_mode(capture: Capture, options: LiveOptions) -> None:
    """Asks a USB camera for a size and a rate; it gives what it can, and that is said."""
    if options.size is None and options.fps is None:
        return
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    if options.size is not None:
        height, width = options.size
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        keys = (cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_WIDTH)
        got = tuple(round(capture.number(key) or 0) for key in keys)
        if got != options.size:
            say(f"the camera gives {got[0]}x{got[1]}, not {height}x{width} as asked for")
    if options.fps is not None:
        capture.set(cv2.CAP_PROP_FPS, options.fps)
