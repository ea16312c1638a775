"""Whole video files of all kinds are never called damaged, and what their containers say of
themselves is an answer whatever they hold."""

from __future__ import annotations

import itertools
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.sources import track, whole
from runtime.sources.completeness import Jumps
from runtime.sources.fault import CUT, DAMAGED
from tests.runtime.damage import (
    FEW_KEYS,
    FLASH,
    MARKS,
    MJPEG,
    MPEG2,
    SLOWER,
    WMV,
    gap,
    noise,
    zeros,
)
from tests.runtime.test_sources_files import H264, H265, ffmpeg, make, read

pytestmark = MARKS


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv", "ts"])
@pytest.mark.parametrize(
    ("options", "frames"),
    [
        (FEW_KEYS, 60),
        (H265, 60),
        ((*FEW_KEYS, "-x264-params", "open-gop=1:keyint=20"), 60),
        ((*FEW_KEYS, "-c:a", "aac"), 60),
        (SLOWER, 26),
        (("-vf", "select='lt(mod(n,20),9)'", "-vsync", "vfr", *H264), 27),
    ],
    ids=["B-frames", "H.265", "open groups", "longer sound", "slower", "pauses"],
)
def test_a_whole_file_is_never_called_damaged(
    film: Callable[..., Path], container: str, options: tuple[str, ...], frames: int
) -> None:
    assert len(read(film(f"film.{container}", *options))) == frames


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("sound.wmv", (*WMV, "-c:a", "wmav2")),
        ("sound.flv", (*FEW_KEYS, "-c:a", "aac")),
        ("sound.avi", (*MJPEG, "-c:a", "mp2")),
        ("sound.mpg", (*MPEG2, "-c:a", "mp2")),
        ("sound.vob", (*MPEG2, "-c:a", "ac3")),
        ("late.wmv", (*WMV, "-output_ts_offset", "7")),
        ("late.ts", (*FEW_KEYS, "-output_ts_offset", "7")),
        ("pauses.avi", ("-vf", "select='lt(mod(n,20),9)'", "-vsync", "vfr", *MJPEG)),
        ("pauses.flv", ("-vf", "select='lt(mod(n,20),9)'", "-vsync", "vfr", *FLASH)),
        ("pauses.mpg", (*MPEG2[:4], "-vf", "select='lt(mod(n,20),9)'", "-vsync", "vfr")),
        ("timelapse.mp4", ("-vf", "setpts=PTS*60", "-vsync", "vfr", *MJPEG)),
        ("theora.ogv", ("-c:v", "libtheora")),
    ],
)
def test_a_whole_file_of_an_older_container_is_never_called_damaged(
    film: Callable[..., Path], name: str, options: tuple[str, ...]
) -> None:
    assert len(read(film(name, *options))) > 20


@pytest.mark.parametrize("container", ["mp4", "mkv", "avi", "ts", "mpg", "wmv"])
def test_a_single_picture_under_a_long_sound_is_no_damage(tmp_path: Path, container: str) -> None:
    codec = {"mp4": H264, "mkv": H264, "avi": MJPEG, "wmv": WMV}.get(container, MPEG2)
    still, path = tmp_path / "still.png", tmp_path / f"still.{container}"
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=176x144", "-frames:v", 1, still)
    ffmpeg("-i", still, "-f", "lavfi", "-i", "sine=duration=7", *codec, path)
    assert read(path)


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv", "avi", "flv"])
def test_a_last_picture_that_is_held_for_long_is_no_damage(
    tmp_path: Path, film: Callable[..., Path], container: str
) -> None:
    """Also where an edit list leaves out what comes before and behind."""
    hold, held = "setts=duration=if(eq(N\\,59)\\,DURATION*60\\,DURATION)", f"held.{container}"
    ffmpeg("-i", film("flat.mp4", *H264, "-bf", "0"), "-c", "copy", "-bsf:v", hold, tmp_path / held)
    trimmed = tmp_path / f"trimmed.{container}"
    ffmpeg("-ss", 2.5, "-i", tmp_path / held, "-t", 8, "-c", "copy", trimmed)
    assert len(read(tmp_path / held)) == 60
    assert len(read(trimmed)) > 30


def test_recordings_of_what_is_on_the_air_are_whole_wherever_they_begin_and_end(
    tmp_path: Path, film: Callable[..., Path]
) -> None:
    """And so are two of them in one file, hours apart."""
    content = film("sound.ts", *FEW_KEYS, "-c:a", "aac").read_bytes()
    packets, path = len(content) // 188, tmp_path / "air.ts"
    for first, last in ((3, packets - 9), (packets // 5, packets // 3), (17, packets // 2)):
        path.write_bytes(content[first * 188 : last * 188])
        assert read(path)
    later = film("later.ts", *FEW_KEYS, "-output_ts_offset", "7200")
    path.write_bytes(film("film.ts", *FEW_KEYS).read_bytes() + later.read_bytes())
    assert len(read(path)) == 120


@pytest.mark.parametrize(
    "name",
    [
        *("part.mp4", "part.mkv", "part.ts", "joined.ts"),
        *("live.mkv", "live.mp4", "live.avi", "film.mpg"),
    ],
)
def test_a_file_that_was_put_together_is_not_called_damaged(
    tmp_path: Path, film: Callable[..., Path], name: str
) -> None:
    """Cut out between key frames, joined of two, written without seeking, of the last century."""
    whole, path = film("film.mp4", *FEW_KEYS), tmp_path / name
    if name.startswith("part"):
        ffmpeg("-ss", 2.7, "-i", whole, "-t", 2, "-c", "copy", path)
    elif name == "joined.ts":
        parts = [film("film.ts", *FEW_KEYS), make(tmp_path / "b.ts", *H264)]
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
    elif name == "film.mpg":
        ffmpeg("-i", whole, "-c:v", "mpeg2video", "-r", 25, path)
    else:
        kinds = {"live.mkv": ["matroska"], "live.avi": ["avi"]}
        way = ("-f", *kinds.get(name, ["mp4", "-movflags", "empty_moov"]))
        command = ["ffmpeg", "-v", "error", "-i", str(whole), "-c", "copy", *way, "-"]
        path.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    assert len(read(path)) > 15


@pytest.mark.parametrize(
    ("steps", "at_s"),
    [
        ([1.0] * 9, None),
        ([1, 1, 1, 3, 3, 3], None),
        ([3, 3, 3, 1, 1, 1], None),
        ([1, 1, 1, 2, 1, 1], 3),
        ([1, 1, 2, 1, 1, 9, 1, 1], 6),
        ([1, 1, 1, 5, -4, 4.5, 1, 1], 3),
        ([1, 1, 1, -3, 1, 1, 1, 1], None),
    ],
)
def test_the_jump_that_stands_out_most_is_where_frames_may_be_missing(
    steps: list[float], at_s: float | None
) -> None:
    jumps = Jumps()
    for stamp_s in itertools.accumulate([0.0, *steps]):
        jumps.add(stamp_s)
    assert jumps.at_s == at_s


@pytest.mark.parametrize(
    ("name", "options", "faults"),
    [
        ("film.mkv", FEW_KEYS, {"cut", "damaged"}),
        ("live.mkv", (*FEW_KEYS, "-live", "1"), {"cut", "damaged"}),
        ("film.ts", FEW_KEYS, {"cut", "damaged"}),
        ("film.avi", MJPEG, {"cut", "damaged"}),
        ("film.flv", FLASH, {"cut", "damaged"}),
        ("film.mpg", MPEG2, {"cut", "damaged"}),
        ("film.wmv", WMV, set()),
        ("film.mp4", H264, set()),
    ],
)
def test_whatever_a_file_holds_its_wholeness_is_an_answer(
    tmp_path: Path,
    film: Callable[..., Path],
    name: str,
    options: tuple[str, ...],
    faults: set[str],
) -> None:
    intact, path = film(name, *options), tmp_path / name
    assert (whole.is_cut(intact), whole.fault_of(intact)) == (False, None)
    content = intact.read_bytes()
    chance = random.Random(11)
    kinds = set()
    for _ in range(80):
        first = chance.randrange(len(content) if chance.random() < 0.5 else 400)
        change = chance.choice([zeros, noise, gap])
        damaged = change(content, first, min(first + chance.randrange(1, 3000), len(content)))
        path.write_bytes(damaged[: chance.choice([len(damaged), chance.randrange(len(damaged))])])
        fault = whole.fault_of(path)
        kinds |= {fault.kind} if fault else set()
        assert whole.is_cut(path) in (False, True)
        assert (track.last_picture_s(path) or 0.0) >= 0.0
    assert kinds == faults


def test_an_index_of_rubbish_says_when_the_last_picture_is_due_or_nothing(
    tmp_path: Path, film: Callable[..., Path]
) -> None:
    content = film("film.mp4", *H264).read_bytes()
    path, chance = tmp_path / "film.mp4", random.Random(7)
    assert track.last_picture_s(film("film.mp4", *H264)) == pytest.approx(5.9, abs=0.3)
    for _ in range(200):
        first = chance.randrange(content.rindex(b"moov"), len(content))
        path.write_bytes(noise(content, first, min(first + chance.randrange(1, 30), len(content))))
        assert (track.last_picture_s(path) or 0.0) >= 0.0


def test_program_streams_tell_their_packets_from_rubbish(tmp_path: Path) -> None:
    path = tmp_path / "film.mpg"
    pack = b"\0\0\1\xba" + bytes([0b01000100]) + bytes(8) + b"\xf8"
    packet, end = b"\0\0\1\xe0\0\4sent", b"\0\0\1\xb9"
    for content, fault in (
        (pack + packet + end, None),
        (pack + packet + bytes(70_000) + pack + packet, None),
        (pack + packet + bytes(5), None),
        (pack + packet[:-1], CUT),
        (pack + packet + packet[:5], CUT),
        (pack + packet + b"sent" + packet, DAMAGED),
        (pack + packet + b"\0\0\1\x00sent" + packet, DAMAGED),
        (pack + b"\0\0\1\xe0\0\0sent", None),
    ):
        path.write_bytes(content)
        assert whole.fault_of(path) == fault, content[:60]
