"""What size, rate, latency and transport come to: what OpenCV, GStreamer and FFmpeg are asked."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import cv2
import pytest

from runtime.sources import connection
from runtime.sources.address import parse
from runtime.sources.options import LiveOptions, live_options


class Asked:
    """Stands in for a Capture: it opens, and gives the mode that it was made with."""

    gives = (720, 1280)

    def __init__(self, target: str | int, api: int, parameters: Sequence[int] = ()) -> None:
        self.target, self.api = target, api
        self.parameters = dict(zip(parameters[::2], parameters[1::2], strict=True))
        self.properties: dict[int, float] = {}
        self.is_open = True

    def set(self, key: int, value: float) -> None:
        self.properties[key] = value

    def number(self, key: int) -> float:
        return self.gives[0 if key == cv2.CAP_PROP_FRAME_HEIGHT else 1]


@pytest.fixture(autouse=True)
def stubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "Capture", Asked)
    monkeypatch.setattr(connection, "OWN_FFMPEG_OPTIONS", "")
    monkeypatch.setenv(connection.FFMPEG_OPTIONS, "")
    monkeypatch.setattr(cv2.videoio_registry, "hasBackend", lambda _: True)


def ask(uri: str, options: LiveOptions) -> Asked:
    asked = connection.connect(parse(uri), options)
    assert isinstance(asked, Asked)
    return asked


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="V4L2 is Linux's")
def test_a_usb_camera_is_asked_for_size_and_rate_and_says_what_it_gives_instead(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = ask("3", live_options("720x1280", 15.0, None, "tcp", None, 0))
    assert (asked.target, asked.api) == ("/dev/video3", cv2.CAP_V4L2)
    assert asked.properties == {
        cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"MJPG"),
        cv2.CAP_PROP_FRAME_HEIGHT: 720,
        cv2.CAP_PROP_FRAME_WIDTH: 1280,
        cv2.CAP_PROP_FPS: 15.0,
    }
    assert capsys.readouterr().err == ""
    ask("3", LiveOptions(size=(1080, 1920)))
    assert "the camera gives 720x1280, not 1080x1920 as asked for" in capsys.readouterr().err
    assert ask("3", LiveOptions()).properties == {}, "without wishes its own mode stays"


@pytest.mark.parametrize(
    ("options", "caps"),
    [
        (LiveOptions(), "video/x-raw(memory:NVMM) !"),
        (LiveOptions(size=(720, 1280)), "video/x-raw(memory:NVMM),height=720,width=1280 !"),
        (
            LiveOptions(size=(720, 1280), fps=29.97),
            "video/x-raw(memory:NVMM),height=720,width=1280,framerate=30/1 !",
        ),
    ],
)
def test_the_pipeline_of_a_csi_camera_has_size_and_rate(options: LiveOptions, caps: str) -> None:
    asked = ask("csi://1", options)
    assert asked.api == cv2.CAP_GSTREAMER
    assert str(asked.target).startswith(f"nvarguscamerasrc sensor-id=1 ! {caps} nvvidconv ! ")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            LiveOptions(),
            "rtsp_transport;tcp|allowed_media_types;video|reconnect;1|reconnect_delay_max;4",
        ),
        (
            LiveOptions(transport="udp", latency_ms=200),
            "rtsp_transport;udp|allowed_media_types;video|reconnect;1|reconnect_delay_max;4|max_delay;200000|fflags;nobuffer",
        ),
    ],
)
def test_ffmpeg_is_told_transport_latency_and_patience(options: LiveOptions, told: str) -> None:
    asked = ask("rtsp://cam/1", options)
    assert asked.api == cv2.CAP_FFMPEG
    assert os.environ[connection.FFMPEG_OPTIONS] == told
    assert asked.parameters[cv2.CAP_PROP_OPEN_TIMEOUT_MSEC] == 10_000
    assert asked.parameters[cv2.CAP_PROP_READ_TIMEOUT_MSEC] == 5_000


def test_the_users_own_ffmpeg_options_come_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "OWN_FFMPEG_OPTIONS", "stimeout;1")
    ask("rtsp://cam/1", LiveOptions())
    assert os.environ[connection.FFMPEG_OPTIONS].endswith(
        "allowed_media_types;video|reconnect;1|reconnect_delay_max;4|stimeout;1"
    )
