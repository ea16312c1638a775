"""Streams from a real RTSP server that is killed, stopped, locked and changed under the runtime."""

from __future__ import annotations

import json
import re
import signal
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.cameras import open_cameras, run_cameras
from runtime.errors import SourceError
from runtime.model import load_model
from runtime.prefetch import MAX_STALENESS_S, prefetch
from runtime.sinks import Outputs
from runtime.sources import LiveOptions, open_source
from runtime.sources.options import Transport
from runtime.stopping import Stop
from tests.runtime.rtsp import Run, Server, read_blocks, rtsp_server_works

QUICK = LiveOptions(first_pause_s=0.05, longest_pause_s=0.2, read_timeout_s=2.0)

pytestmark = pytest.mark.skipif(
    not rtsp_server_works(), reason="needs Debian's gir1.2-gst-rtsp-server-1.0 and python3-gi"
)


@pytest.mark.parametrize("recoveries", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_a_server_that_is_killed_again_and_again_is_found_again_each_time(
    server: Server, recoveries: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """No frame of an earlier run, none twice, none black; every frame is accounted for."""
    server.start()
    taken, last, last_index = 0, (0, 0), -1
    with (
        open_source(server.uri(), QUICK) as source,
        closing(prefetch(source, drop_oldest=True, max_staleness_s=MAX_STALENESS_S)) as ahead,
    ):
        for frame in ahead:
            taken += 1
            run, number = read_blocks(frame)
            assert run == server.run, "a frame of a server that is gone is old"
            assert (run, number) > last, "frames come in order and once"
            assert frame.index > last_index
            new, last, last_index = run > last[0], (run, number), frame.index
            if new and server.run > recoveries:
                break
            if new:
                server.kill()
                time.sleep(2 * MAX_STALENESS_S)
                server.start()
    assert source.gaps.number == recoveries
    assert source.gaps.away_s == pytest.approx(sum(gap.duration_s for gap in source.gaps.recent))
    starts = [gap.start_s for gap in source.gaps.recent]
    ends = [gap.start_s + gap.duration_s for gap in source.gaps.recent]
    assert starts == sorted(starts)
    assert all(end <= start + 0.1 for end, start in zip(ends, starts[1:], strict=False))
    assert source.seen == taken + ahead.dropped + source.dropped.total()
    assert last_index < source.seen <= last_index + 10, (
        "only what came after the last frame is more"
    )
    told = capsys.readouterr().err
    assert told.count("lost (") == told.count(": back after ") == recoveries


def test_a_server_that_hangs_without_closing_is_noticed(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.start()
    options = replace(QUICK, read_timeout_s=1.0, open_timeout_s=1.5)
    numbers = []
    with open_source(server.uri(), options) as source:
        for frame in source:
            numbers.append(read_blocks(frame)[1])
            if len(numbers) == 3:
                server.send(signal.SIGSTOP)
                threading.Timer(4.0, server.send, [signal.SIGCONT]).start()
            if source.gaps.number:
                break
    assert numbers == sorted(set(numbers))
    assert source.gaps.recent[0].reason == "no frame for 1 s"
    assert "lost (no frame for 1 s); reconnecting" in capsys.readouterr().err


def test_a_frame_that_the_decoder_held_back_is_not_given_when_the_server_hangs(
    server: Server,
) -> None:
    """With the default options: FFmpeg gives such a frame each time that a read times out."""
    server.start()
    stopped_s, given_s = 0.0, []
    going_on = threading.Timer(8.0, server.send, [signal.SIGCONT])
    with (
        open_source(server.uri()) as source,
        closing(prefetch(source, drop_oldest=True, max_staleness_s=MAX_STALENESS_S)) as ahead,
    ):
        for _ in ahead:
            given_s.append(time.monotonic() - stopped_s)
            if len(given_s) == 3:
                server.send(signal.SIGSTOP)
                going_on.start()
                stopped_s = time.monotonic()
            if source.gaps.number or len(given_s) > 500:
                break
    assert not [seconds for seconds in given_s[3:] if 1.0 < seconds < 8.0]
    assert source.gaps.recent[0].reason == "no frame for 5 s"


def test_a_camera_that_is_off_at_the_start_is_waited_for(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        open_source(server.uri(), QUICK) as source,
        closing(prefetch(source, drop_oldest=True, max_staleness_s=MAX_STALENESS_S)) as ahead,
    ):
        server.start()
        assert read_blocks(next(iter(ahead)))[0] == 1
    assert source.gaps.recent[0].reason == "not there at the start"
    told = capsys.readouterr().err.splitlines()
    assert told[0].endswith("nothing listens there (connection refused); waiting until it is there")
    assert len(told) == 2, "and then that it is there"


def test_a_camera_that_does_not_come_in_time_is_an_error(server: Server) -> None:
    options = replace(QUICK, give_up_after_s=1.0)
    with (
        open_source(server.uri(), options) as source,
        pytest.raises(SourceError, match=r"connection refused\); it did not come within 1 s"),
    ):
        list(source)


def test_a_camera_that_hangs_at_the_start_holds_no_other_back(
    server: Server, clip: Path, tiny_model: Path
) -> None:
    server.start()
    server.send(signal.SIGSTOP)
    uris, stop = [server.uri(), str(clip)], Stop()
    with (
        load_model(tiny_model, "fake") as model,
        open_cameras(uris, Outputs(), False) as ((hanging, film), look),
    ):
        runner = threading.Thread(target=run_cameras, args=([hanging, film], model, stop, look))
        runner.start()
        assert film.finished.wait(20)
        assert film.tally.counts.processed == 20
        assert not hanging.finished.is_set()
        stop.requested = True
        runner.join(20)


def test_giving_up_is_an_error_that_says_how_long_one_waited(server: Server) -> None:
    server.start()
    options = replace(QUICK, give_up_after_s=0.5)
    with (
        open_source(server.uri(), options) as source,
        pytest.raises(SourceError, match=r"was lost .* and did not come back within 0\.5 s"),
    ):
        for _ in source:
            server.kill()
    assert source.gaps.number == 1
    assert source.gaps.away_s >= 0.5


def test_a_gap_in_which_the_run_ends_is_counted(
    server: Server, tiny_model: Path, tmp_path: Path
) -> None:
    server.start()
    run = Run(server, tiny_model, tmp_path / "frames.jsonl")
    run.wait_for("water_fraction")
    server.kill()
    time.sleep(2.0)
    frames, told = run.end(signal.SIGTERM)
    assert frames["gaps"] == 1
    assert frames["away_s"] > 0.5
    assert "away 1 time" in told


@pytest.mark.parametrize("method", ["basic", "digest"])
def test_a_wrong_password_is_told_apart_and_no_password_is_shown(
    server: Server, method: str, capfd: pytest.CaptureFixture[str]
) -> None:
    server.start("--user", "admin:s3cret", "--method", method)
    with pytest.raises(SourceError) as wrong:
        open_source(server.uri("admin:wr0ng"))
    with pytest.raises(SourceError) as missing:
        open_source(server.uri())
    with open_source(server.uri("admin:s3cret")) as source:
        assert read_blocks(next(iter(source)))[0] == 1
    assert "it refuses the user name or the password (401)" in str(wrong.value)
    assert "it wants a user name and a password (401)" in str(missing.value)
    output = "".join([*capfd.readouterr(), str(wrong.value), source.info.uri])
    assert not re.search("wr0ng|s3cret|admin", output)


def test_another_path_is_told_apart(server: Server) -> None:
    server.start()
    with pytest.raises(SourceError, match=r"it knows no stream under this path \(404\)"):
        open_source(server.uri() + "/other")


def test_size_and_codec_may_change_while_a_stream_is_away(server: Server) -> None:
    changes = [("h265", "144x192"), ("mjpeg", "64x96"), ("h264", "240x320")]
    server.start()
    shapes = []
    with (
        open_source(server.uri(), QUICK) as source,
        closing(prefetch(source, drop_oldest=True, max_staleness_s=MAX_STALENESS_S)) as ahead,
    ):
        for frame in ahead:
            assert read_blocks(frame)[0] == server.run
            shapes.append(frame.image.shape)
            if len(shapes) > len(changes):
                break
            server.kill()
            time.sleep(2 * MAX_STALENESS_S)
            codec, size = changes[len(shapes) - 1]
            server.start("--codec", codec, "--size", size)
    assert shapes == [(96, 128, 3), (144, 192, 3), (64, 96, 3), (240, 320, 3)]


def test_a_frozen_feed_counts_as_lost_and_its_old_picture_is_not_given_on(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.start("--codec", "mjpeg", "--still")
    options = replace(QUICK, frozen_after_s=1.0)
    given: list[int] = []
    moving = threading.Event()

    def thaw() -> None:
        server.kill()
        moving.set()
        server.start("--codec", "mjpeg")

    timer = threading.Timer(4.0, thaw)
    with open_source(server.uri(), options) as source:
        timer.start()
        for frame in source:
            given.append(read_blocks(frame)[0])
            if moving.is_set():
                break
    timer.join()
    assert given[-1] == 2
    assert source.dropped["frozen"] > 10
    assert len(given) < 0.5 * 25 + 10, "the same picture is given on for half a second, no longer"
    assert source.gaps.number == 1, "it was not back when it gave the same picture again"
    assert source.gaps.recent[0].reason.startswith("the same picture for 1.")
    assert capsys.readouterr().err.count("lost (the same picture") == 1


def test_rtsp_goes_over_tcp_unless_udp_is_chosen(server: Server) -> None:
    server.start()
    for options in (LiveOptions(), LiveOptions(transport="udp"), LiveOptions()):
        with open_source(server.uri(), options) as source:
            assert read_blocks(next(iter(source)))[0] == 1
    assert [server.told() for _ in range(3)] == ["tcp", "udp", "tcp"]


@pytest.mark.parametrize(("spoken", "other"), [("tcp", "udp"), ("udp", "tcp")])
def test_a_server_with_one_transport_opens_with_that_one_alone(
    server: Server, spoken: Transport, other: Transport
) -> None:
    server.start("--only", spoken)
    with open_source(server.uri(), LiveOptions(transport=spoken)) as source:
        assert read_blocks(next(iter(source)))[0] == 1
    options = LiveOptions(transport=other, give_up_after_s=0)
    with pytest.raises(SourceError, match=r"cannot open .*: it answers"):
        open_source(server.uri(), options)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_hanging_server_does_not_keep_the_runtime_from_ending(
    server: Server, tiny_model: Path, tmp_path: Path, number: signal.Signals
) -> None:
    server.start()
    run = Run(server, tiny_model, tmp_path / "frames.jsonl")
    run.wait_for("water_fraction")
    server.send(signal.SIGSTOP)
    time.sleep(0.5)
    frames, _ = run.end(number)
    assert frames["processed"] > 0


def test_the_command_line_goes_on_after_a_gap_and_accounts_for_it_in_log_and_summary(
    server: Server, tiny_model: Path, tmp_path: Path
) -> None:
    server.start()
    run = Run(server, tiny_model, tmp_path / "frames.jsonl")
    run.wait_for("water_fraction")
    server.kill()
    server.start()
    run.wait_for('"gap": ')
    frames, told = run.end(signal.SIGINT)
    assert frames["seen"] == frames["processed"] + frames["dropped"] + frames["failed"]
    assert frames["dropped"] == sum(frames["reasons"].values())
    assert frames["gaps"] == 1
    *lines, last = (json.loads(line) for line in run.log.read_text().splitlines())
    assert last == {"summary": frames}
    assert len(lines) == frames["processed"]
    (gap,) = [line["gap"] for line in lines if "gap" in line]
    assert gap["duration_s"] == pytest.approx(frames["away_s"], abs=0.01)
    assert "away 1 time" in told
