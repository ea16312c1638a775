"""Sources: one grammar, real pictures, real video, and clear words where there are no frames."""

from __future__ import annotations

import http.server
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from runtime.errors import SourceError
from runtime.sources import LiveOptions, open_source
from runtime.sources.address import Address, parse
from tests.runtime.conftest import scene, write_clip


@pytest.mark.parametrize(
    ("uri", "kind", "where"),
    [
        ("0", "camera", "/dev/video0"),
        ("12", "camera", "/dev/video12"),
        ("/dev/video3", "camera", "/dev/video3"),
        ("v4l2://", "camera", "/dev/video0"),
        ("v4l2://2", "camera", "/dev/video2"),
        ("v4l2:///dev/video1", "camera", "/dev/video1"),
        ("csi://", "csi", "0"),
        ("csi://1", "csi", "1"),
        ("007", "camera", "/dev/video7"),
        ("9" * 5000, "path", "9" * 5000),
        ("/dev/v4l/by-id/usb-cam-index0", "camera", "/dev/v4l/by-id/usb-cam-index0"),
        ("rtsp://u:p@cam/1", "stream", "rtsp://u:p@cam/1"),
        ("RTSP://cam", "stream", "RTSP://cam"),
        ("https://host/live.m3u8", "stream", "https://host/live.m3u8"),
        ("file:///tmp/a.mp4", "path", "/tmp/a.mp4"),
        ("clips/a.mp4", "path", "clips/a.mp4"),
        ("*.jpg", "path", "*.jpg"),
        ("-1", "path", "-1"),
        ("٣", "path", "٣"),
    ],
)
def test_the_grammar(uri: str, kind: str, where: str) -> None:
    assert parse(uri) == Address(kind, where)


@pytest.mark.parametrize(
    "uri",
    [
        *("", " ", "ftp://host/a.mp4", "csi://left", "v4l2://x", "rtsp://"),
        *(f"csi://{'9' * 5000}", f"v4l2://{'9' * 5000}"),
    ],
)
def test_what_is_outside_the_grammar_is_told_with_the_grammar(uri: str) -> None:
    with pytest.raises(SourceError, match=r"wanted 0, /dev/video0, v4l2://0, csi://0, rtsp://"):
        open_source(uri)


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9/a b", "rtsp://host/\n", "http://host/\x7f"])
def test_an_address_with_spaces_is_told_how_to_write_them(uri: str) -> None:
    with pytest.raises(SourceError, match=r"has a space or control character; write it as %20"):
        open_source(uri)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for name in ("img10.png", "img2.jpg", "img1.webp"):
        Image.fromarray(scene((20, 30), 0.5)[..., ::-1]).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden.jpg").write_text("no picture")
    return tmp_path


def test_a_folder_gives_its_pictures_in_natural_order(pictures: Path) -> None:
    with open_source(str(pictures)) as source:
        frames = list(source)
    assert [frame.name for frame in frames] == ["img1", "img2", "img10"]
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert [frame.timestamp_s for frame in frames] == [0.0, 1.0, 2.0]
    assert source.info.frame_count == 3
    assert not source.info.live
    assert frames[2].image.shape == (20, 30, 3)
    assert frames[2].image[-1, 0].tolist() == [200, 60, 30], "frames are BGR"
    assert all(frame.read_ms > 0 for frame in frames)


@pytest.mark.parametrize("uri", [".", "*"])
def test_files_that_a_folder_or_a_glob_leaves_out_are_told(
    pictures: Path,
    uri: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_clip(pictures / "flood.mp4", frames=2)
    monkeypatch.chdir(pictures)
    with open_source(uri) as source:
        assert source.info.frame_count == 3
    told = capsys.readouterr().err
    assert told.startswith(f"{uri}: files left out because they are no pictures: 2; name a video")
    assert told.count("\n") == 1


def test_a_glob_and_a_single_picture_give_the_same_frames(pictures: Path) -> None:
    with open_source(f"{pictures}/img1*") as source:
        assert [frame.name for frame in source] == ["img1", "img10"]
    with open_source(str(pictures / "img2.jpg")) as source:
        assert [frame.name for frame in source] == ["img2"]


def test_a_name_with_brackets_is_a_file_before_it_is_a_pattern(pictures: Path) -> None:
    path = pictures / "img[1].png"
    (pictures / "img10.png").rename(path)
    with open_source(str(path)) as source:
        assert [frame.name for frame in source] == ["img[1]"]


def test_pictures_that_share_a_stem_get_names_of_their_own(pictures: Path) -> None:
    (pictures / "sub").mkdir()
    shutil.copy(pictures / "img2.jpg", pictures / "sub")
    with open_source(f"{pictures}/**/*") as source:
        names = [frame.name for frame in source]
    assert len(set(names)) == len(names) == 4


def test_a_damaged_picture_is_reported_and_counted_and_the_rest_goes_on(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "img2.jpg").write_bytes(b"\xff\xd8\xff damaged")
    with open_source(str(pictures)) as source:
        frames = list(source)
    assert [frame.index for frame in frames] == [0, 2]
    assert source.failed == 1
    assert "skipped: cannot read" in capsys.readouterr().err


def test_a_video_gives_every_frame_with_the_containers_timestamps(clip: Path) -> None:
    with open_source(str(clip)) as source:
        frames = list(source)
        info = source.info
    assert (info.live, info.fps, info.frame_count) == (False, 10.0, 20)
    assert [frame.index for frame in frames] == list(range(20))
    assert [frame.timestamp_s for frame in frames] == pytest.approx(np.arange(20) / 10)
    assert frames[3].name == "000003"
    assert frames[0].image.shape == (64, 96, 3)
    assert frames[0].image is not frames[1].image


@pytest.mark.parametrize("content", [b"", b"no video " * 400], ids=["empty", "text"])
def test_a_video_that_is_none_says_so_and_nothing_else(
    tmp_path: Path, content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"clip\.mp4 is no video that can be decoded; check"):
        open_source(str(path))
    assert capfd.readouterr().err == "", "OpenCV and FFmpeg keep quiet"


def test_a_video_that_broke_off_gives_what_it_has_and_says_at_which_second(
    tmp_path: Path,
) -> None:
    whole, cut = tmp_path / "whole.avi", tmp_path / "cut.avi"
    writer = cv2.VideoWriter(
        str(whole), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (96, 64)
    )
    for index in range(60):
        writer.write(scene((64, 96), index / 60))
    writer.release()
    content = whole.read_bytes()
    cut.write_bytes(content[: len(content) // 2])
    frames = []
    with open_source(str(cut)) as source, pytest.raises(SourceError) as caught:
        for frame in source:
            frames.append(frame)
    assert 20 < len(frames) < 40
    assert f"broke off at {frames[-1].timestamp_s:.1f} s of 6.0 s" in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("gone.mp4", r"no such file or folder: gone\.mp4; wanted 0, /dev/video0"),
        ("*.mp4", r"no file matches '.*\*\.mp4'; check the pattern and quote it"),
        ("*.txt", r"matches 2 files and no pictures; name one video at a time"),
        (".", r"the folder \. holds no pictures \(other files: 2\); wanted \.jpg"),
        ("~nobody-here/a.mp4", r"no such user: ~nobody-here; write \./~nobody-here"),
        ("a" * 300, r"(cannot read|no such file)"),
    ],
)
def test_paths_without_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str, message: str
) -> None:
    (tmp_path / "a.txt").write_text("")
    (tmp_path / "b.txt").write_text("")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match=message):
        open_source(uri)


def test_a_camera_that_is_not_there_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SourceError, match=r"no camera at /dev/video99; plug one in"):
        open_source("99")
    assert capfd.readouterr().err == ""


def test_csi_without_gstreamer_says_what_is_missing() -> None:
    if cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
        pytest.skip("this OpenCV has GStreamer")
    with pytest.raises(SourceError, match=r"csi://0 needs OpenCV with GStreamer"):
        open_source("csi://0")


def test_a_stream_that_refuses_is_one_line_without_the_password(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(SourceError) as caught:
        open_source(f"rtsp://admin:secret@127.0.0.1:{port}/live", LiveOptions(give_up_after_s=0))
    assert str(caught.value) == (
        f"cannot open rtsp://***@127.0.0.1:{port}/live: nothing listens there (connection refused)"
    )
    assert capfd.readouterr().err == ""


@pytest.fixture
def mjpeg_camera() -> Iterator[str]:
    """The address of a real HTTP server that sends ten JPEGs as a camera does, then hangs up."""

    class Camera(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            for index in range(10):
                jpeg = cv2.imencode(".jpg", scene((64, 96), index / 10))[1].tobytes()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")

        def log_message(self, *_: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Camera) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/video.mjpg"
        server.shutdown()
        thread.join()


def test_a_stream_gives_live_frames_and_its_end_is_an_error(mjpeg_camera: str) -> None:
    frames = []
    at_once = LiveOptions(give_up_after_s=0)
    with (
        open_source(mjpeg_camera, at_once) as source,
        pytest.raises(
            SourceError, match=r"was lost \(the connection broke\) and did not come back"
        ),
    ):
        assert source.info.live
        for frame in source:
            frames.append(frame)
    assert 8 <= len(frames) <= 10, "a demuxer may need a frame to start and one to end"
    assert frames[0].image.shape == (64, 96, 3)
    stamps = [frame.timestamp_s for frame in frames]
    assert stamps == sorted(stamps)
    assert stamps[0] > 1.5e9, "live timestamps are Unix time"


@pytest.mark.parametrize("size", [(2, 2), (36, 50), (480, 854)])
def test_videos_of_other_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    write_clip(tmp_path / "clip.mp4", frames=2, size=size)
    with open_source(str(tmp_path / "clip.mp4")) as source:
        assert [frame.image.shape for frame in source] == [(*size, 3)] * 2
