"""Video files as the world makes them: codecs, rates, rotations, odd sizes and damage."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from runtime.errors import SourceError
from runtime.images import Frame
from runtime.sources import open_source
from runtime.sources.capture import Capture
from runtime.sources.video import VideoFile

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the program ffmpeg")

H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "10")
H265 = ("-c:v", "libx265", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p")


def ffmpeg(*arguments: object) -> None:
    subprocess.run(
        ["ffmpeg", "-y", "-v", "error", "-threads", "2", *map(str, arguments)], check=True
    )


def make(
    path: Path, *options: object, size: str = "160x96", seconds: float = 3, audio: bool = False
) -> Path:
    """A test picture with a running counter, ten frames a second, encoded by ffmpeg."""
    tone = ("-f", "lavfi", "-i", f"sine=duration={seconds + 1}") if audio else ()
    picture = f"testsrc=size={size}:rate=10:duration={seconds}"
    ffmpeg("-f", "lavfi", "-i", picture, *tone, *options, path)
    return path


def read(path: Path) -> list[Frame]:
    with open_source(str(path)) as source:
        return list(source)


def stamps(frames: list[Frame]) -> list[float]:
    return [frame.timestamp_s for frame in frames]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("h264.mp4", H264),
        ("h264.mkv", H264),
        ("h264.ts", H264),
        ("h265.mp4", H265),
        ("vp9.webm", ("-c:v", "libvpx-vp9", "-deadline", "realtime")),
        ("mjpeg.avi", ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p")),
    ],
)
def test_every_common_codec_and_container_gives_every_frame(
    tmp_path: Path, name: str, codec: tuple[str, ...]
) -> None:
    frames = read(make(tmp_path / name, *codec))
    assert stamps(frames) == pytest.approx(np.arange(30) / 10, abs=2e-3)
    assert {frame.image.shape for frame in frames} == {(96, 160, 3)}


@pytest.mark.parametrize("name", ["audio.mp4", "audio.mkv"])
def test_sound_that_goes_on_after_the_last_frame_is_no_damage(tmp_path: Path, name: str) -> None:
    assert len(read(make(tmp_path / name, *H264, "-c:a", "aac", audio=True))) == 30


def test_a_picture_that_begins_late_or_ends_long_before_the_sound_is_no_damage(
    tmp_path: Path,
) -> None:
    flat, sound = make(tmp_path / "flat.mkv", *H264), tmp_path / "sound.mkv"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=8", "-c:a", "aac", sound)
    for name, delay_s in (("early.mkv", 0), ("late.mkv", 4), ("early.ts", 0)):
        both = ("-itsoffset", delay_s, "-i", flat, "-i", sound, "-c", "copy")
        ffmpeg(*both, tmp_path / name)
        assert len(read(tmp_path / name)) == 30, name


def test_damage_in_the_middle_gives_what_comes_after_it_too(tmp_path: Path) -> None:
    path = make(tmp_path / "film.mp4", *H264)
    content = bytearray(path.read_bytes())
    start, end = content.index(b"mdat"), content.index(b"moov")
    first, last = (round(start + share * (end - start)) for share in (0.45, 0.6))
    content[first:last] = bytes(last - first)
    path.write_bytes(content)
    frames: list[Frame] = []
    with (
        pytest.raises(SourceError, match=r"is damaged at \d\.\d s of 3\.0 s; what"),
        open_source(str(path)) as source,
    ):
        for frame in source:
            frames.append(frame)
    assert 15 < len(frames) < 30
    assert frames[-1].timestamp_s == pytest.approx(2.9)


@pytest.mark.parametrize("name", ["vfr.mp4", "vfr.mkv"])
def test_a_variable_frame_rate_keeps_the_containers_timestamps(tmp_path: Path, name: str) -> None:
    """Ten frames at ten a second, then every third of them."""
    select = "select='lt(n,10)+not(mod(n,3))'"
    frames = read(make(tmp_path / name, "-vf", select, "-vsync", "vfr", *H264))
    wanted = [n / 10 for n in range(30) if n < 10 or n % 3 == 0]
    assert stamps(frames) == pytest.approx(wanted, abs=2e-3)


def test_a_frame_whose_timestamp_opencv_lost_follows_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenCV 4.6, which Ubuntu 24.04 has, says 0 or -9e15 for the last frames of H.264."""
    capture = Capture(str(make(tmp_path / "film.mp4")), cv2.CAP_FFMPEG)
    picture = np.zeros((96, 160, 3), dtype=np.uint8)
    told = iter([(picture, -9.2e15), (picture, 0.1), (picture, 0.0), (picture, -9.2e15)])
    monkeypatch.setattr(capture, "read", lambda: next(told))
    with VideoFile("film.mp4", capture) as film:
        frames = list(itertools.islice(film, 4))
    assert stamps(frames) == pytest.approx([0, 0.1, 0.2, 0.3])


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_a_rotated_phone_video_stands_upright(tmp_path: Path, angle: int) -> None:
    flat, turned = make(tmp_path / "flat.mp4", *H264, seconds=1), tmp_path / "turned.mp4"
    ffmpeg("-i", flat, "-c", "copy", "-metadata:s:v", f"rotate={angle}", turned)
    before, after = read(flat)[0].image, read(turned)[0].image
    if np.array_equal(after, before):
        pytest.skip("this ffmpeg writes no rotation by -metadata rotate")
    ffmpeg("-i", turned, "-frames:v", 1, tmp_path / "upright.png")
    np.testing.assert_array_equal(after, cv2.imread(str(tmp_path / "upright.png")))
    assert after.shape == ((96, 160, 3) if angle == 180 else (160, 96, 3))


@pytest.mark.parametrize(("width", "height"), [(1, 1), (5, 3), (3, 5)])
def test_the_smallest_pictures(tmp_path: Path, width: int, height: int) -> None:
    crop = f"crop={width}:{height}:exact=1"
    frames = read(
        make(tmp_path / "odd.mkv", "-vf", crop, "-c:v", "ffv1", "-pix_fmt", "bgr0", size="16x16")
    )
    assert [frame.image.shape for frame in frames] == [(height, width, 3)] * 30


@pytest.mark.parametrize("codec", [H264, H265], ids=["H.264", "H.265"])
def test_4k(tmp_path: Path, codec: tuple[str, ...]) -> None:
    path = make(tmp_path / "4k.mp4", *codec, "-preset", "ultrafast", size="3840x2160", seconds=0.3)
    assert [frame.image.shape for frame in read(path)] == [(2160, 3840, 3)] * 3


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("h264.mkv", H264),
        ("h264.mp4", (*H264, "-movflags", "+faststart")),
        ("vp9.webm", ("-c:v", "libvpx-vp9", "-deadline", "realtime")),
        ("mjpeg.avi", ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p")),
    ],
)
def test_a_file_cut_at_any_byte_gives_what_is_there_and_says_at_which_second_it_broke(
    tmp_path: Path, name: str, codec: tuple[str, ...]
) -> None:
    content = make(tmp_path / name, *codec).read_bytes()
    whole = read(tmp_path / name)
    cut = tmp_path / f"cut-{name}"
    random_bytes = random.Random(5)
    for length in [len(content) - 1, *(random_bytes.randrange(len(content)) for _ in range(12))]:
        cut.write_bytes(content[:length])
        frames: list[Frame] = []
        with pytest.raises(SourceError) as caught, open_source(str(cut)) as source:
            for frame in source:
                frames.append(frame)
        assert stamps(frames) == stamps(whole)[: len(frames)]
        told = str(caught.value)
        if frames:
            assert f"broke off at {frames[-1].timestamp_s:.1f} s" in told, length
        else:
            assert "that can be decoded" in told, length


def test_an_mp4_without_its_index_is_told_to_be_cut_off(tmp_path: Path) -> None:
    path = make(tmp_path / "clip.mp4", *H264)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(SourceError, match=r"no video that can be decoded: it is cut off; check"):
        open_source(str(path))


@pytest.mark.parametrize(
    "name",
    [
        "12:30.mp4",
        "rtsp:cam.mp4",
        "100%.mp4",
        "%03d.mp4",
        "a?b#c.mp4",
        "-x.mp4",
        "洪水 ß.MP4",
        "film",
    ],
)
def test_a_file_may_have_any_name(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "film.mp4", *H264, "-c:a", "aac", seconds=2, audio=True).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert len(read(Path(name))) == 20


def test_a_film_may_come_through_a_pipe(tmp_path: Path) -> None:
    film, pipe = make(tmp_path / "film.ts", *H264), tmp_path / "pipe.ts"
    os.mkfifo(pipe)
    with subprocess.Popen(["sh", "-c", 'cat "$0" > "$1"', film, pipe]):
        assert len(read(pipe)) == 30


def test_timestamps_of_a_transport_stream_go_on_where_its_clock_begins_anew(tmp_path: Path) -> None:
    """After 26.5 hours, 2^33 ticks of 90 kHz."""
    path = make(tmp_path / "film.ts", *H264, "-output_ts_offset", 95442.0)
    assert stamps(read(path)) == pytest.approx(np.arange(30) / 10, abs=2e-3)


def test_a_file_with_sound_only_or_without_frames_is_no_video(tmp_path: Path) -> None:
    sound, empty = tmp_path / "sound.mp4", tmp_path / "empty.mp4"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac", sound)
    subprocess.run(
        ["ffmpeg", "-v", "quiet", "-f", "lavfi", "-i", "testsrc", "-frames:v", "0", str(empty)],
        check=False,
    )
    empty.touch()
    for path in (sound, empty):
        with pytest.raises(SourceError, match=r"that can be decoded"):
            read(path)
