"""What live sources decide: still or frozen, late or drifting, how long to wait, why closed."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from runtime.errors import SourceError
from runtime.sources.absence import Absence
from runtime.sources.arrivals import ArrivalClock
from runtime.sources.clock import StreamClock
from runtime.sources.frozen import Reruns, Stillness
from runtime.sources.options import LiveOptions, live_options
from runtime.sources.reachable import why_closed
from tests.runtime.conftest import Command


def picture(value: int) -> np.ndarray:
    return np.full((70, 50, 3), value, np.uint8)


def test_the_same_bytes_are_still_and_one_other_byte_is_not() -> None:
    still = Stillness()
    other = picture(1)
    other[33, 7, 1] = 2
    assert still.seconds(picture(1), 0.0, 10.0) == 0.0
    assert still.seconds(picture(1), 0.1, 14.0) == 4.0
    assert still.seconds(other, 0.2, 15.0) == 0.0, "one byte, in a row that is not sampled"
    assert still.seconds(picture(1)[:60], 0.3, 16.0) == 0.0, "another size"


def test_timestamps_that_stop_are_still_even_when_the_picture_moves() -> None:
    still = Stillness()
    seconds = [still.seconds(picture(n), min(n, 3), float(n)) for n in range(9)]
    assert seconds == [0, 0, 0, 0, 1, 2, 3, 4, 5]


def test_timestamps_that_never_ran_or_begin_anew_do_not_count() -> None:
    still = Stillness()
    assert [still.seconds(picture(n), 0.0, float(n)) for n in range(4)] == [0, 0, 0, 0]
    assert still.seconds(picture(4), 1.0, 4.0) == 0
    still.reconnected()
    assert [still.seconds(picture(n), 0.0, float(n)) for n in range(60, 63)] == [0, 0, 0]


def test_what_was_given_before_a_reconnect_is_old_until_something_new_comes() -> None:
    reruns = Reruns()
    assert [reruns.again(picture(n)) for n in (1, 2, 1, 3)] == [False] * 4
    reruns.reconnected()
    assert [reruns.again(picture(n)) for n in (2, 1, 3, 4, 3)] == [True, True, True, False, False]


def test_an_old_picture_stays_old_over_a_reconnect() -> None:
    still = Stillness()
    still.seconds(picture(1), 0.0, 0.0)
    still.reconnected()
    assert still.seconds(picture(1), 0.0, 20.0) == 20.0


def test_what_a_slow_network_held_back_is_late_and_then_no_more() -> None:
    clock = StreamClock()
    assert [clock.lag(n / 10, 100 + n / 10) for n in range(10)] == pytest.approx([0] * 10, abs=1e-9)
    assert clock.lag(1.0, 103.0) == pytest.approx(2.0, abs=0.25)
    assert clock.lag(2.9, 103.1) == pytest.approx(0.2, abs=0.25)
    assert clock.lag(3.1, 103.1) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("rate", [0.95, 1.0, 1.05])
def test_a_senders_clock_that_drifts_is_not_late(rate: float) -> None:
    clock = StreamClock()
    assert max(clock.lag(rate * n / 25, n / 25) for n in range(25 * 600)) < 0.05


@pytest.mark.parametrize("jump_s", [-3600.0, 3600.0])
def test_timestamps_that_jump_are_not_late(jump_s: float) -> None:
    clock = StreamClock()
    clock.lag(5000.0, 1.0)
    assert clock.lag(5000.0 + jump_s, 1.1) == 0.0


def test_frames_of_a_burst_are_due_one_after_another() -> None:
    clock = StreamClock()
    assert [clock.ahead(n / 10, 50.0) for n in range(3)] == pytest.approx([0, 0.1, 0.2])
    assert clock.ahead(0.3, 53.0) == 0.0, "late, so at once"
    assert clock.ahead(1000.0, 54.0) == 0.0, "a jump begins anew"


def lateness(times_s: Iterable[float]) -> list[float]:
    clock = ArrivalClock()
    return [round(clock.lag(time_s), 6) for time_s in times_s]


def test_frames_that_come_at_their_pace_are_not_late_however_they_jitter() -> None:
    jitter = random.Random(7)
    assert max(lateness(n / 25 + jitter.uniform(0, 0.06) for n in range(5000))) < 0.1
    assert max(lateness(n / 10**4 for n in range(100))) == 0.0


def test_what_was_held_back_is_late_by_what_it_waited_and_then_no_more() -> None:
    before, held = [n / 10 for n in range(20)], [5.0 + n / 1000 for n in range(31)]
    after = [5.0 + n / 10 for n in range(1, 20)]
    late = lateness([*before, *held, *after])
    assert late[:20] == [0.0] * 20
    assert late[20:51] == pytest.approx([3.0 - 0.099 * n for n in range(31)], abs=0.01)
    assert late[51:] == [0.0] * 19


def test_a_sender_that_left_frames_out_is_believed_after_two_steps() -> None:
    before, held = [n / 10 for n in range(20)], [5.0 + n / 1000 for n in range(10)]
    late = lateness([*before, *held, *(5.1 + n / 10 for n in range(20))])
    assert min(late[20:30]) > 1.9
    assert late[32:] == [0.0] * 18


def test_a_camera_that_takes_fewer_pictures_at_night_is_soon_believed() -> None:
    late = lateness([*(n / 25 for n in range(50)), *(2 + n / 2 for n in range(40))])
    assert max(late[50:]) < 1.0
    assert late[70:] == [0.0] * 20


def test_pauses_grow_to_a_bound_and_differ_by_chance() -> None:
    options = LiveOptions(first_pause_s=1.0, longest_pause_s=8.0)
    runs = [
        [absence.next_pause_s() for _ in range(6)]
        for absence in (Absence("gone", None, options) for _ in range(20))
    ]
    for run in runs:
        for pause_s, bound_s in zip(run, [1, 2, 4, 8, 8, 8], strict=True):
            assert bound_s / 2 <= pause_s <= bound_s
    assert all(one != other for one, other in itertools.pairwise(runs))


def test_a_gap_is_as_long_as_it_was_when_the_clock_is_set_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = LiveOptions(give_up_after_s=60.0)
    real_s = time.time
    lost = Absence("gone", time.monotonic() - 5.0, options)
    monkeypatch.setattr(time, "time", lambda: real_s() + 10**8)
    noticed_later = Absence("gone", time.monotonic() - 5.0, options)
    for absence in (lost, noticed_later):
        assert not absence.too_long
        assert absence.over().duration_s == pytest.approx(5.0, abs=1.0)
    assert lost.over().start_s == pytest.approx(real_s() - 5.0, abs=1.0)


def test_one_never_waits_past_the_time_to_give_up() -> None:
    absence = Absence("gone", None, LiveOptions(first_pause_s=60.0, give_up_after_s=0.5))
    assert not absence.too_long
    assert absence.next_pause_s() <= 0.5
    assert Absence("gone", None, LiveOptions(give_up_after_s=0)).too_long


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("rtsp://127.0.0.1:port/live", "its address is malformed"),
        ("rtsp://admin:se/cr@et@127.0.0.1/live", "its address is malformed"),
        ("rtsp://[::1/live", "its address is malformed"),
        ("http://admin:s3cret@127.0.0.1:9/", "nothing listens there"),
    ],
)
def test_why_an_address_cannot_work_without_naming_its_parts(url: str, reason: str) -> None:
    told, for_good = why_closed(url, 1.0)
    assert for_good is ("malformed" in reason)
    assert told.startswith(reason)
    assert not any(part in told for part in ("admin", "s3cret", "se/cr", "127.0"))


@pytest.mark.parametrize("size", ["1280", "0x5", "axb", "1280X720", "-1x2", "123456x1"])
def test_a_size_is_height_x_width(size: str) -> None:
    assert live_options("720x1280", None, None, "udp", None, 0).size == (720, 1280)
    with pytest.raises(SourceError, match=r"wanted HEIGHTxWIDTH, such as 720x1280"):
        live_options(size, None, None, "tcp", None, 0)


def test_the_transport_is_tcp_or_udp() -> None:
    with pytest.raises(SourceError, match=r"the transport is 'quic'; wanted tcp or udp"):
        live_options(None, None, None, "quic", None, 0)


@pytest.mark.parametrize(
    "arguments",
    [
        ("rtsp://admin:s3cret@127.0.0.1:9/live",),
        ("--camera", "rtsp://admin:s3cret@127.0.0.1:9/live"),
        ("--source", "rtsp://admin:s3cret@127.0.0.1:9/live"),
        ("--source", "http://127.0.0.1:9/live?password=s3cret"),
        ("--source", "admin:s3cret@127.0.0.1"),
        ("--source", "ftp://admin:s3cret@127.0.0.1"),
        ("--backend", "rtsp://admin:s3cret@127.0.0.1:9/live", "--source", "0"),
        ("--max-frames", "rtsp://admin:s3cret@127.0.0.1:9/live"),
        ("rtsp://admin:s3 cret@127.0.0.1:9/live",),
        ("--backend", "rtsp://admin:s3 cret@127.0.0.1:9/live", "--source", "0"),
        ("--size", "rtsp://admin:s3 cret@127.0.0.1:9/live", "--source", "0"),
        ("--source", "rtsp://127.0.0.1:9/user=admin_password=s3cret_channel=1"),
        ("--source", "http://127.0.0.1:9/live#pw=s3cret"),
        ("--model", "rtsp://admin:s3/cret@127.0.0.1:9/live", "--source", "0"),
        ("--save", "rtsp://admin:s3/cret@127.0.0.1:9/live.mp4", "--source", "0"),
        ("doctor", "--model", "rtsp://admin:s3/cret@127.0.0.1:9/live"),
        ("build", "rtsp://admin:s3/cret@127.0.0.1:9/live"),
    ],
)
def test_the_command_line_never_shows_a_password_whatever_it_complains_about(
    flood_runtime_here: Command, tiny_model: Path, arguments: tuple[str, ...]
) -> None:
    command = arguments[0] in ("doctor", "build")
    options = () if command else ("--model", tiny_model, "--give-up-after", 0)
    done = flood_runtime_here(*options, *arguments)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    shown = done.stdout + done.stderr
    assert not any(secret in shown for secret in ("s3cret", "s3", "cret", "admin"))
