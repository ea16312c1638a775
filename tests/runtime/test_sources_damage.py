"""Video files that lost bytes give what can be decoded and say where they broke; whole ones of all
kinds are never called damaged."""

from __future__ import annotations

import functools
import itertools
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from runtime.errors import SourceError
from runtime.images import Frame
from runtime.sources import open_source, track, whole
from runtime.sources.completeness import Jumps
from runtime.sources.fault import CUT, DAMAGED
from tests.runtime.conftest import Command
from tests.runtime.test_sources_files import H264, H265, ffmpeg, make, read, stamps

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the program ffmpeg")

FEW_KEYS = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "3", "-g", "20")
SLOWER = ("-vf", "select='lt(n,10)+not(mod(n,3))'", "-vsync", "vfr", *H264)
MJPEG = ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p")
MPEG2 = ("-c:v", "mpeg2video", "-bf", "2", "-r", "25")
FLASH = ("-c:v", "flv1", "-g", "10")
WMV = ("-c:v", "wmv2")
HALF = (0.45, 0.6)


@pytest.fixture(params=[True, False], ids=["with PyAV", "without PyAV"], autouse=True)
def _pyav(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.param:
        monkeypatch.setitem(sys.modules, "av", None)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Six seconds of film, made once for all tests that want the same, which leave it as it is."""

    @functools.cache
    def made(name: str, *options: str) -> Path:
        path = tmp_path_factory.mktemp("film") / name
        return make(path, *options, seconds=6, audio="-c:a" in options)

    return made


def read_until_it_breaks(path: Path) -> tuple[list[Frame], str]:
    frames: list[Frame] = []
    with pytest.raises(SourceError) as caught, open_source(str(path)) as source:
        for frame in source:
            frames.append(frame)
    assert source.seen == len(frames) + source.failed
    assert "\n" not in str(caught.value)
    return frames, str(caught.value)


def is_same(frame: Frame, other: Frame) -> bool:
    return np.array_equal(frame.image, other.image)


def zeros(content: bytes, first: int, last: int) -> bytes:
    return content[:first] + bytes(last - first) + content[last:]


def noise(content: bytes, first: int, last: int) -> bytes:
    return content[:first] + random.Random(3).randbytes(last - first) + content[last:]


def gap(content: bytes, first: int, last: int) -> bytes:
    return content[:first] + content[last:]


def lost_packets(content: bytes, first: int, last: int) -> bytes:
    """As a network loses them: the packets that are left stay where packets begin, and go on with
    a picture whose beginning is lost."""
    first, last = first // 188 * 188, last // 188 * 188
    while content[last + 1] & 0x40:
        last += 188
    return gap(content, first, last)


FILMS = [
    ("film.mkv", FEW_KEYS),
    ("sound.mkv", (*FEW_KEYS, "-c:a", "aac")),
    ("slower.mkv", SLOWER),
    ("live.mkv", (*FEW_KEYS, "-live", "1")),
    ("vp9.webm", ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-g", "10")),
    ("film.ts", FEW_KEYS),
    ("sound.ts", (*FEW_KEYS, "-c:a", "aac")),
    ("slower.ts", SLOWER),
    ("bluray.m2ts", (*FEW_KEYS, "-mpegts_m2ts_mode", "1")),
]


@pytest.mark.parametrize(
    ("name", "options", "lose"),
    [
        *((name, options, lose) for name, options in FILMS for lose in (zeros, noise, gap)),
        *((name, options, lost_packets) for name, options in FILMS if name.endswith(".ts")),
    ],
)
def test_bytes_lost_in_the_middle_are_told_with_the_second_and_what_follows_is_given(
    tmp_path: Path,
    film: Callable[..., Path],
    name: str,
    options: tuple[str, ...],
    lose: Callable[[bytes, int, int], bytes],
) -> None:
    content, whole = film(name, *options).read_bytes(), stamps(read(film(name, *options)))
    path = tmp_path / name
    path.write_bytes(lose(content, *(round(share * len(content)) for share in HALF)))
    frames, told = read_until_it_breaks(path)
    came = stamps(frames)
    assert set(came) <= set(whole)
    at_s = float(told.split(" s")[0].rsplit(" ", 1)[1])
    missing = sorted(set(whole) - set(came))
    assert missing
    if " is damaged at " in told:
        assert at_s <= missing[-1]
        assert at_s >= missing[0] - 1.0
    else:
        assert " broke off at " in told
        assert at_s == pytest.approx(came[-1], abs=0.05)


@pytest.mark.parametrize("lose", [zeros, noise, gap])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.avi", MJPEG),
        ("sound.avi", (*MJPEG, "-c:a", "mp2")),
        ("h264.avi", H264),
        ("film.flv", FLASH),
        ("sound.flv", (*FEW_KEYS, "-c:a", "aac")),
        ("film.mpg", MPEG2),
        ("sound.mpg", (*MPEG2, "-c:a", "mp2")),
        ("mpeg1.mpg", ("-c:v", "mpeg1video", "-r", "25")),
        ("film.vob", MPEG2),
    ],
)
def test_bytes_lost_in_the_middle_of_older_containers_are_told_too(
    tmp_path: Path,
    film: Callable[..., Path],
    name: str,
    options: tuple[str, ...],
    lose: Callable[[bytes, int, int], bytes],
) -> None:
    content, whole = film(name, *options).read_bytes(), read(film(name, *options))
    path = tmp_path / name
    path.write_bytes(lose(content, *(round(share * len(content)) for share in HALF)))
    frames, told = read_until_it_breaks(path)
    pairs = zip(frames, whole, strict=False)
    as_it_was = sum(1 for _ in itertools.takewhile(lambda pair: is_same(*pair), pairs))
    assert 0 < as_it_was <= len(frames) < len(whole)
    at_s = float(told.split(" s")[0].rsplit(" ", 1)[1])
    assert at_s == pytest.approx(whole[as_it_was].timestamp_s, abs=0.5)
    assert (" is damaged at " in told) == (len(frames) > as_it_was + 5)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.flv", FLASH),
        ("sound.flv", (*FEW_KEYS, "-c:a", "aac")),
        ("film.mpg", MPEG2),
        ("film.wmv", WMV),
        ("sound.wmv", (*WMV, "-c:a", "wmav2")),
    ],
)
def test_older_containers_that_were_cut_are_told(
    tmp_path: Path, film: Callable[..., Path], name: str, options: tuple[str, ...]
) -> None:
    content, cut = film(name, *options).read_bytes(), tmp_path / name
    chance = random.Random(5)
    lengths = [chance.randrange(len(content) // 4, len(content)) for _ in range(6)]
    for length in (len(content) - 1, *lengths):
        cut.write_bytes(content[:length])
        frames, told = read_until_it_breaks(cut)
        assert f"broke off at {frames[-1].timestamp_s:.1f} s" in told, length


@pytest.mark.parametrize(
    ("name", "options"), [("film.ts", FEW_KEYS), ("film.flv", FLASH), ("film.mkv", FEW_KEYS)]
)
def test_zeros_at_the_end_as_a_power_cut_leaves_them_are_told(
    tmp_path: Path, film: Callable[..., Path], name: str, options: tuple[str, ...]
) -> None:
    content, path = film(name, *options).read_bytes(), tmp_path / name
    path.write_bytes(zeros(content, len(content) // 2, len(content)))
    frames, told = read_until_it_breaks(path)
    assert 15 < len(frames) < 45
    assert f"broke off at {frames[-1].timestamp_s:.1f} s" in told


@pytest.mark.parametrize("name", ["film.mp4", "film.mov", "old.mov"])
def test_an_mp4_whose_last_pictures_are_empty_broke_off(
    tmp_path: Path, film: Callable[..., Path], name: str
) -> None:
    """As a file it is whole, and its index counts them."""
    content, path = film(name, *MJPEG).read_bytes(), tmp_path / name
    start, end = content.index(b"mdat") + 4, content.rindex(b"moov") - 4
    if name == "old.mov":
        content = content.replace(b"ftyp", b"wide", 1)
    path.write_bytes(zeros(content, (start + end) // 2, end))
    frames, told = read_until_it_breaks(path)
    assert 20 < len(frames) < 40
    assert f"broke off at {frames[-1].timestamp_s:.1f} s of 6.0 s; what" in told


def test_a_transport_stream_that_was_cut_is_told(tmp_path: Path, film: Callable[..., Path]) -> None:
    content = film("film.ts", *FEW_KEYS).read_bytes()
    cut = tmp_path / "cut.ts"
    random_bytes = random.Random(5)
    lengths = [random_bytes.randrange(len(content) // 4, len(content)) for _ in range(8)]
    for length in (len(content) // 2 + 1, len(content) - 1, *lengths):
        cut.write_bytes(content[: length - (length % 188 == 0)])
        frames, told = read_until_it_breaks(cut)
        assert f"broke off at {frames[-1].timestamp_s:.1f} s; what could be decoded" in told


def test_a_matroska_file_that_was_being_written_when_it_was_cut_is_told(
    tmp_path: Path, film: Callable[..., Path]
) -> None:
    content, path = film("live.mkv", *FEW_KEYS, "-live", "1").read_bytes(), tmp_path / "cut.mkv"
    path.write_bytes(content[: len(content) // 2])
    frames, told = read_until_it_breaks(path)
    assert f"broke off at {frames[-1].timestamp_s:.1f} s; what could be decoded" in told


def test_an_avi_whose_end_is_empty_broke_off_where_its_pictures_end(tmp_path: Path) -> None:
    path = make(tmp_path / "film.avi", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", seconds=6)
    content = path.read_bytes()
    path.write_bytes(zeros(content, len(content) // 2, content.rindex(b"idx1")))
    frames, told = read_until_it_breaks(path)
    assert 20 < len(frames) < 40
    assert f"broke off at {frames[-1].timestamp_s:.1f} s of 6.0 s; what" in told


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


def test_a_damaged_file_gives_its_masks_then_one_line_and_exit_code_1(
    flood_runtime_here: Command, film: Callable[..., Path], tiny_model: Path, tmp_path: Path
) -> None:
    content, path = film("film.mkv", *FEW_KEYS).read_bytes(), tmp_path / "film.mkv"
    path.write_bytes(zeros(content, *(round(share * len(content)) for share in HALF)))
    done = flood_runtime_here(
        *("--source", path, "--model", tiny_model, "--backend", "onnxruntime", "--masks", "masks")
    )
    assert done.returncode == 1
    assert "film.mkv is damaged at " in done.stderr.splitlines()[-1]
    assert sum("is damaged at" in line for line in done.stderr.splitlines()) == 1
    assert 30 < len(list((tmp_path / "masks").iterdir())) < 60


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
