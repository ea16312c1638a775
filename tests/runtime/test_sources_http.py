"""Video over HTTP from a real server: MJPEG that breaks off, recordings, playlists, passwords."""

from __future__ import annotations

import base64
import dataclasses
import http.server
import itertools
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from runtime import cameras
from runtime.errors import SourceError
from runtime.model import load_model
from runtime.prefetch import MAX_STALENESS_S, prefetch
from runtime.sinks import Outputs
from runtime.sources import LiveOptions, open_source
from runtime.stopping import Stop
from tests.runtime.conftest import scene, write_clip

QUICK = LiveOptions(first_pause_s=0.05, longest_pause_s=0.2, read_timeout_s=2.0)
QUICK_BUT_PATIENT = dataclasses.replace(QUICK, read_timeout_s=8.0)
Handler = Callable[..., http.server.BaseHTTPRequestHandler]


class Camera(http.server.BaseHTTPRequestHandler):
    """Ten JPEGs as a camera sends them, each a little more water, then it hangs up."""

    password = ""
    served = 0

    def do_GET(self) -> None:
        wanted = f"Basic {base64.b64encode(self.password.encode()).decode()}"
        if self.password and self.headers.get("Authorization") != wanted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        type(self).served += 1
        for index in range(10):
            image = scene((64, 96), index / 10)
            image[:8] = 10 * self.served
            jpeg = cv2.imencode(".jpg", image)[1].tobytes()
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")

    def log_message(self, *_: object) -> None:
        return


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@contextmanager
def serving(handler: Handler) -> Iterator[str]:
    """HOST:PORT of a server that runs within the block."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_an_mjpeg_camera_that_hangs_up_is_found_again_each_time() -> None:
    class Mine(Camera):
        served = 0

    with serving(Mine) as host, open_source(f"http://{host}/video.mjpg", QUICK) as source:
        assert source.info.live
        connections = []
        for frame in source:
            connections.append(round(float(frame.image[2].mean()) / 10))
            if source.gaps.number == 3:
                break
    assert connections == sorted(connections), "nothing of an earlier connection comes later"
    assert len(set(connections)) == 4
    assert [gap.reason for gap in source.gaps.recent] == ["the connection broke"] * 3


@pytest.mark.parametrize("skips", [False, True], ids=["everything is held", "the end is left out"])
def test_what_a_network_held_back_is_not_given_as_new(skips: bool) -> None:
    """Twenty pictures a second that say their number; for three seconds they are only collected,
    then all come at once, or the first half of them and then what is new."""
    held, last, rate = range(40, 100), 140, 20

    class Mine(Camera):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            start_s = time.monotonic()
            for number in range(last):
                if skips and number in held[30:]:
                    continue
                due = held.stop if number in held else number
                time.sleep(max(0.0, start_s + due / rate - time.monotonic()))
                image = np.full((64, 96, 3), 255 - number, np.uint8)
                jpeg = cv2.imencode(".jpg", image)[1].tobytes()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")

    with (
        serving(Mine) as host,
        open_source(f"http://{host}/video.mjpg", QUICK_BUT_PATIENT) as source,
        closing(prefetch(source, drop_oldest=True, max_staleness_s=MAX_STALENESS_S)) as ahead,
    ):
        given = []
        for frame in ahead:
            given.append(255 - int(frame.image.mean() + 0.5))
            if given[-1] >= last - 5:
                break
    assert given == sorted(given)
    assert len([number for number in given if number < held.start]) > 20, "on time before"
    old = [number for number in given if number in held[:40]]  # a second or more
    assert not old
    # Where several come in one moment some are overtaken before anyone has seen how old they are.
    assert sum(ahead.reasons.values()) >= (30 if skips else 40)
    assert ahead.reasons["stale"] >= 15
    assert len([number for number in given if number >= held.stop]) > 20, "and on time again"


def test_a_camera_that_answers_rubbish_while_it_restarts_is_found_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Mine(Camera):
        served = 0
        asked = itertools.count()

        def handle(self) -> None:
            if 1 <= next(self.asked) <= 4:
                self.request.sendall(b"BOOTLOADER v1\r\n\r\n")
            else:
                super().handle()

    with serving(Mine) as host, open_source(f"http://{host}/video.mjpg", QUICK) as source:
        shapes = {
            frame.image.shape for frame in itertools.takewhile(lambda _: Mine.served < 2, source)
        }
    assert shapes == {(64, 96, 3)}
    assert source.gaps.number == 1
    assert "does not speak HTTP; check the port; trying on" in capsys.readouterr().err


def test_a_wrong_http_password_is_told_and_never_shown(capfd: pytest.CaptureFixture[str]) -> None:
    class Mine(Camera):
        password = "admin:s3cret"

    with serving(Mine) as host:
        with pytest.raises(SourceError, match=r"refuses the user name or the password") as wrong:
            open_source(f"http://admin:wr0ng@{host}/video.mjpg")
        with pytest.raises(SourceError, match=r"wants a user name and a password \(401\)"):
            open_source(f"http://{host}/video.mjpg")
        with open_source(f"http://admin:s3cret@{host}/video.mjpg") as source:
            assert next(iter(source)).image.shape == (64, 96, 3)
    shown = "".join([*capfd.readouterr(), str(wrong.value), source.info.uri])
    assert not any(secret in shown for secret in ("admin", "s3cret", "wr0ng"))


def test_a_port_at_which_something_else_answers_is_one_line() -> None:
    class Ssh(Camera):
        def handle(self) -> None:
            self.wfile.write(b"SSH-2.0-OpenSSH_9.2p1\r\n")

    once = dataclasses.replace(QUICK, give_up_after_s=0.0)
    with serving(Ssh) as host, pytest.raises(SourceError, match=r"does not speak HTTP; check the"):
        open_source(f"http://{host}/video.mjpg", once)


def test_a_recording_behind_http_is_a_file_read_to_its_end(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4")
    with (
        serving(partial(Files, directory=tmp_path)) as host,
        open_source(f"http://{host}/clip.mp4") as source,
    ):
        assert not source.info.live
        frames = list(source)
    assert [frame.timestamp_s for frame in frames] == pytest.approx([n / 10 for n in range(20)])


@pytest.mark.parametrize("gone", [False, True], ids=["comes back", "is gone"])
def test_a_recording_whose_server_hangs_up_goes_on_where_it_was(tmp_path: Path, gone: bool) -> None:
    write_clip(tmp_path / "clip.avi", frames=200)
    content, asked = (tmp_path / "clip.avi").read_bytes(), list[int]()

    class Breaking(Camera):
        def do_GET(self) -> None:
            start = int(self.headers.get("Range", "bytes=0-")[6:].split("-")[0])
            asked.append(start)
            if gone and max(asked) > len(content) // 2:
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            self.send_header("Accept-Ranges", "bytes")
            self.end_headers()
            self.wfile.write(content[start : start + len(content) // 3])

    frames = []
    with (
        serving(Breaking) as host,
        open_source(f"http://{host}/clip.avi") as source,
        pytest.raises(SourceError, match="broke off at") if gone else nullcontext(),
    ):
        for frame in source:
            frames.append(frame.index)
    assert len(asked) > 2
    assert frames == list(range(len(frames)))
    assert len(frames) < 150 if gone else len(frames) == 200


def test_a_recording_whose_server_takes_its_time_is_waited_for_where_nobody_else_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: Path
) -> None:
    write_clip(tmp_path / "clip.mp4")

    class Slow(Files):
        def do_GET(self) -> None:
            time.sleep(3.3)
            super().do_GET()

    monkeypatch.setattr(cameras, "TOGETHER_S", 0.5)
    with (
        serving(partial(Slow, directory=tmp_path)) as host,
        load_model(tiny_model, "fake") as model,
    ):
        with open_source(f"http://{host}/clip.mp4") as source:
            assert not source.info.live
            assert len(list(source)) == 20
        uris = [f"http://{host}/clip.mp4", str(tmp_path / "clip.mp4")]
        with cameras.open_cameras(uris, Outputs(), False) as ((slow, film), look):
            cameras.run_cameras([slow, film], model, Stop(), look)
    assert film.tally.counts.processed == 20
    assert "is a recording whose server took more than 0.5 s to answer; name it alone" in str(
        slow.fault()
    )


def hls(folder: Path, ended: bool) -> Path:
    """A playlist of three segments of ten frames; one that is not ended is a live stream's."""
    segments = ["-f", "hls", "-hls_time", "1", "-hls_list_size", "0"]
    picture = "testsrc=size=160x96:rate=10:duration=3"
    encode = ["-c:v", "libx264", "-g", "10", "-pix_fmt", "yuv420p"]
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", picture, *encode, *segments]
    playlist = folder / "live.m3u8"
    subprocess.run([*command, str(playlist)], check=True)
    if not ended:
        playlist.write_text(playlist.read_text().replace("#EXT-X-ENDLIST\n", ""))
    return playlist


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the program ffmpeg")
def test_a_playlist_that_is_not_written_any_more_is_not_given_twice(tmp_path: Path) -> None:
    """Each new connection begins with its last segments."""
    playlist = hls(tmp_path, ended=False)
    options = dataclasses.replace(QUICK, give_up_after_s=7.0)
    given = []
    with (
        serving(partial(Files, directory=tmp_path)) as host,
        open_source(f"http://{host}/{playlist.name}", options) as source,
        pytest.raises(SourceError, match=r"was lost \(no frame for 2 s\) and did not come back"),
    ):
        for frame in source:
            given.append(frame.image.tobytes())
    assert 20 < len(given) == len(set(given)) <= 30, "the decoder keeps some"
    assert source.dropped["stale"] >= 20
    assert source.seen == len(given) + source.dropped.total()
    assert source.gaps.number == 1


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the program ffmpeg")
@pytest.mark.parametrize("ended", [True, False], ids=["recording", "live"])
def test_a_playlist_is_a_recording_when_it_is_complete_and_live_when_it_is_not(
    tmp_path: Path, ended: bool
) -> None:
    """A live playlist comes in bursts: its frames are given when they are due, none is dropped."""
    hls(tmp_path, ended)
    with (
        serving(partial(Files, directory=tmp_path)) as host,
        open_source(f"http://{host}/live.m3u8", QUICK) as source,
    ):
        assert source.info.live is not ended
        stamps = []
        for frame in source:
            stamps.append(frame.timestamp_s)
            if len(stamps) == (30 if ended else 15):
                break
    assert stamps == sorted(stamps)
    if ended:
        steps = [later - earlier for earlier, later in itertools.pairwise(stamps)]
        assert steps == pytest.approx([0.1] * 29, abs=2e-3)
    else:
        assert stamps[-1] - stamps[0] > 1.0, "fourteen tenths of a second, not one burst"
