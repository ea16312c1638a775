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

import pytest

from runtime.errors import SourceError
from runtime.images import Frame
from runtime.sources import open_source, whole
from runtime.sources.completeness import Jumps
from tests.runtime.conftest import Command
from tests.runtime.test_sources_files import H264, H265, ffmpeg, make, read, stamps

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the program ffmpeg")

FEW_KEYS = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "3", "-g", "20")
SLOWER = ("-vf", "select='lt(n,10)+not(mod(n,3))'", "-vsync", "vfr", *H264)
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


def zeros(content: bytes, first: int, last: int) -> bytes:
    return content[:first] + bytes(last - first) + content[last:]


def noise(content: bytes, first: int, last: int) -> bytes:
    return content[:first] + random.Random(3).randbytes(last - first) + content[last:]


def gap(content: bytes, first: int, last: int) -> bytes:
    return content[:first] + content[last:]


def lost_packets(content: bytes, first: int, last: int) -> bytes:
    """As a network loses them: the packets that are left stay where packets begin."""
    return gap(content, first // 188 * 188, last // 188 * 188)


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
    "name", ["part.mp4", "part.mkv", "part.ts", "joined.ts", "live.mkv", "live.mp4", "film.mpg"]
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
        way = ("-f", "matroska") if name == "live.mkv" else ("-f", "mp4", "-movflags", "empty_moov")
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


@pytest.mark.parametrize("name", ["film.mkv", "live.mkv", "film.ts"])
def test_whatever_a_file_holds_its_wholeness_is_an_answer(
    tmp_path: Path, film: Callable[..., Path], name: str
) -> None:
    live = ("-live", "1") if name == "live.mkv" else ()
    intact, path = film(name, *FEW_KEYS, *live), tmp_path / name
    assert (whole.is_cut(intact), whole.fault_of(intact)) == (False, None)
    content = intact.read_bytes()
    chance = random.Random(11)
    answers = set()
    for _ in range(80):
        first = chance.randrange(len(content) if chance.random() < 0.5 else 400)
        change = chance.choice([zeros, noise, gap])
        damaged = change(content, first, min(first + chance.randrange(1, 3000), len(content)))
        path.write_bytes(damaged[: chance.choice([len(damaged), chance.randrange(len(damaged))])])
        answers.add((whole.is_cut(path), whole.fault_of(path)))
    assert {fault for _, fault in answers} == {None, "cut", "damaged"}
