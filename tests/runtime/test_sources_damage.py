"""Video files that lost bytes give what can be decoded and say where they broke."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from runtime.errors import SourceError
from runtime.images import Frame
from runtime.sources import open_source
from tests.runtime.conftest import Command
from tests.runtime.damage import (
    FEW_KEYS,
    FLASH,
    HALF,
    MARKS,
    MJPEG,
    MPEG2,
    SLOWER,
    WMV,
    gap,
    noise,
    zeros,
)
from tests.runtime.test_sources_files import H264, make, read, stamps

pytestmark = MARKS


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
