"""Sinks: playable videos at the source's pace, exact masks, whole lines."""

from __future__ import annotations

import csv
import errno
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from runtime import behind
from runtime.counts import Counts
from runtime.errors import SinkError
from runtime.images import Frame
from runtime.observe import Observation
from runtime.sinks import Outputs, Sinks, lane, open_sinks
from runtime.sinks.canvas import fit
from runtime.sinks.lines import RotatedLines
from runtime.sources import SourceInfo, open_source
from tests.runtime.conftest import scene

INFO = SourceInfo(uri="clip.mp4", live=False, fps=10.0, frame_count=None)


def observation(
    index: int, timestamp_s: float, size: tuple[int, int] = (64, 96), water: float = 0.25
) -> Observation:
    mask = np.zeros(size, np.bool_)
    mask[round(size[0] * (1 - water)) :] = True
    frame = Frame(
        image=scene(size, water), index=index, timestamp_s=timestamp_s, name=f"{index:06d}"
    )
    return Observation(frame=frame, mask=mask, water_fraction=water, stage_ms={"infer": 1.5})


def write_all(outputs: Outputs, observations: list[Observation]) -> Sinks:
    with open_sinks(outputs, INFO) as sinks:
        for number, each in enumerate(observations, 1):
            sinks.write(each, Counts(processed=number, dropped=2 * number, failed=1))
    return sinks


def wait_until(true: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def images_of(video: Path) -> list[np.ndarray]:
    with open_source(str(video)) as source:
        return [frame.image for frame in source]


def test_masks_are_png_of_0_and_255_at_frame_size_under_the_frames_name(tmp_path: Path) -> None:
    write_all(Outputs(masks=tmp_path / "masks"), [observation(3, 0.3, (33, 47))])
    assert [path.name for path in (tmp_path / "masks").iterdir()] == ["000003.png"]
    with Image.open(tmp_path / "masks" / "000003.png") as mask:
        assert (mask.format, mask.mode, mask.size) == ("PNG", "L", (47, 33))
        values = np.asarray(mask)
    assert set(np.unique(values)) == {0, 255}
    assert ((values == 255) == observation(3, 0.3, (33, 47)).mask).all()


def test_the_log_has_one_whole_line_per_frame_as_soon_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "frames.jsonl"
    with open_sinks(Outputs(log=path), INFO) as sinks:
        for index in range(3):
            sinks.write(observation(index, index / 10), Counts(processed=index + 1, dropped=index))
            wait_until(lambda lines=index + 1: path.read_text().count("\n") == lines)  # type: ignore[misc]
    assert json.loads(path.read_text().splitlines()[2]) == {
        "index": 2,
        "name": "000002",
        "timestamp_s": 0.2,
        "water_fraction": 0.25,
        "ms": {"infer": 1.5},
        "dropped": 2,
        "reasons": {},
        "failed": 0,
        "gaps": 0,
        "away_s": 0.0,
    }


def test_the_table_has_a_header_and_a_row_per_frame(tmp_path: Path) -> None:
    write_all(Outputs(csv=tmp_path / "frames.csv"), [observation(i, i / 10) for i in range(2)])
    with (tmp_path / "frames.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows[1] == {
        "index": "1",
        "name": "000001",
        "timestamp_s": "0.100000",
        "water_fraction": "0.250000",
        "dropped": "4",
        "failed": "1",
    }


@pytest.mark.parametrize("kind", ["log", "csv"])
def test_full_logs_are_rotated_and_only_so_many_are_kept(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "frames"
    outputs = Outputs(log_max_mb=0.001, log_keep=2, **{kind: path})
    write_all(outputs, [observation(i, i / 10) for i in range(60)])
    files = [path.with_name("frames.2"), path.with_name("frames.1"), path]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    indices = []
    for file in files:
        assert 0 < file.stat().st_size <= 1000
        if kind == "log":
            indices += [json.loads(line)["index"] for line in file.read_text().splitlines()]
        else:
            indices += [int(row["index"]) for row in csv.DictReader(file.read_text().splitlines())]
    assert indices == list(range(60 - len(indices), 60)), "no line is lost between files"


def test_the_log_of_an_earlier_run_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "frames.jsonl"
    for index in (7, 8):
        write_all(Outputs(log=path), [observation(index, 0.0)])
    assert json.loads(path.read_text())["index"] == 8
    assert json.loads(path.with_name("frames.jsonl.1").read_text())["index"] == 7


def test_only_a_live_run_keeps_the_video_of_an_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "overlay.mp4"
    for live, files in ((False, 1), (False, 1), (True, 2), (True, 3)):
        info = SourceInfo(uri="0", live=live, fps=None, frame_count=None)
        with open_sinks(Outputs(video=path), info) as sinks:
            sinks.write(observation(0, 0.0), Counts(processed=1))
        assert len(list(tmp_path.iterdir())) == files
    assert len(images_of(path.with_name("overlay.mp4.2"))) == 1


def test_the_summary_tells_what_each_sink_wrote_and_how_long_it_took(tmp_path: Path) -> None:
    outputs = Outputs(video=tmp_path / "o.mp4", masks=tmp_path / "m", log=tmp_path / "frames.jsonl")
    summary = write_all(outputs, [observation(i, i / 10) for i in range(3)]).summary()
    assert list(summary) == ["masks", "overlay", "log"]
    for sink in summary.values():
        assert sink.pop("ms") > 0
        assert sink == {"written": 3, "skipped": 0, "lost": 0}


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".MP4"])
def test_the_video_plays_and_shows_the_water_tinted(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"overlay{suffix}"
    write_all(Outputs(video=path), [observation(i, i / 10, (360, 640), 0.5) for i in range(5)])
    images = images_of(path)
    assert len(images) == 5
    land, water = images[2][100, 320].astype(int), images[2][300, 500].astype(int)
    np.testing.assert_allclose(land, (30, 60, 200), atol=12)
    assert water[1] > 80, "water is (200, 60, 30) in the frame and lighter blue when tinted"


@pytest.mark.parametrize(
    ("stamps", "shown"),
    [
        ([0.0, 0.1, 0.2, 0.3], [0.0, 0.1, 0.2, 0.3]),
        ([0.0, 0.1, 0.5, 0.6], [0.0, 0.1, 0.5, 0.6]),
        ([0.0, 0.01, 0.02, 0.03], [0.0, 0.01, 0.02, 0.03]),
        ([5.0, 5.02, 5.2, 5.3], [0.0, 0.02, 0.2, 0.3]),
        ([0.0, 1000.0], [0.0, 10.0]),
        ([9.0, 3.0, 3.1], [0.0, 0.1, 0.2]),
    ],
    ids=["even", "gap", "burst", "jitter", "long gap", "clock set back"],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_video_keeps_the_sources_time_and_no_frame_is_left_out(
    tmp_path: Path, suffix: str, stamps: list[float], shown: list[float]
) -> None:
    path = tmp_path / f"overlay{suffix}"
    write_all(Outputs(video=path), [observation(i, stamp) for i, stamp in enumerate(stamps)])
    with av.open(path) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx(shown, abs=0.002)


def test_the_video_has_a_key_frame_every_second(tmp_path: Path) -> None:
    path = tmp_path / "overlay.mp4"
    write_all(Outputs(video=path), [observation(i, i / 10) for i in range(31)])
    with av.open(path) as container:
        keys = [frame.time for frame in container.decode(video=0) if frame.key_frame]
    assert keys == pytest.approx([0, 1, 2, 3])


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (361, 641)])
def test_odd_and_tiny_frames_make_playable_videos(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "overlay.mp4"
    write_all(Outputs(video=path), [observation(i, i / 10, size) for i in range(3)])
    images = images_of(path)
    assert len(images) == 3
    assert all(side % 2 == 0 for side in images[0].shape[:2])


def test_frames_of_another_size_are_fitted_into_the_first_ones_size(tmp_path: Path) -> None:
    path = tmp_path / "overlay.mp4"
    write_all(Outputs(video=path), [observation(0, 0.0, (64, 96)), observation(1, 0.1, (96, 64))])
    assert [image.shape for image in images_of(path)] == [(64, 96, 3)] * 2


def test_fitting_never_distorts() -> None:
    picture = np.full((100, 50, 3), 9, np.uint8)
    fitted = fit(picture, (50, 100))
    assert fitted.shape == (50, 100, 3)
    assert (fitted[25] == 9).all(axis=-1).sum() == 25
    assert (fit(picture[:99], (100, 50)) == 9).all(axis=-1).sum() == 99 * 50


def test_a_run_without_frames_leaves_no_empty_video(tmp_path: Path) -> None:
    with open_sinks(Outputs(video=tmp_path / "overlay.mp4"), INFO):
        pass
    assert list(tmp_path.iterdir()) == []


def test_outputs_that_cannot_be_written_are_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    below = tmp_path / "file" / "below"
    for outputs in (Outputs(masks=below), Outputs(log=below), Outputs(video=below / "o.mp4")):
        with pytest.raises(SinkError, match=r"cannot write .*file.*; choose a folder that you may"):
            open_sinks(outputs, INFO)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="/proc is the read-only file system")
@pytest.mark.parametrize("kind", ["video", "masks", "log"])
def test_a_read_only_place_is_refused(kind: str) -> None:
    path = Path("/proc/flood.mp4")
    with pytest.raises(SinkError, match=r"cannot write /proc/flood\.mp4"):
        open_sinks(Outputs(**{kind: path}), INFO)


def test_a_video_needs_a_name_that_says_its_format(tmp_path: Path) -> None:
    with pytest.raises(
        SinkError, match=r"cannot save overlay\.gif: wanted a name in \.mp4, \.mov, \.mkv"
    ):
        open_sinks(Outputs(video=tmp_path / "overlay.gif"), INFO)


def test_closing_twice_is_fine_and_completes_the_video(tmp_path: Path) -> None:
    video = tmp_path / "overlay.mp4"
    sinks = open_sinks(Outputs(video=video, log=tmp_path / "frames.jsonl"), INFO)
    sinks.write(observation(0, 0.0), Counts(processed=1))
    sinks.close()
    sinks.close()
    capture = cv2.VideoCapture(str(video))
    assert capture.read()[0]
    capture.release()


def test_what_was_written_is_put_on_the_disk_itself_every_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: dict[str, int] = {}

    def fsync(descriptor: int) -> None:
        synced[Path(f"/proc/self/fd/{descriptor}").readlink().name] = os.fstat(descriptor).st_size

    assert max(behind.IDLE_S, lane.FLUSH_S) <= 1
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(behind, "IDLE_S", 0.01)
    names = ("overlay.mp4", "frames.jsonl", "frames.csv")
    video, log, table = (tmp_path / name for name in names)
    with open_sinks(Outputs(video=video, log=log, csv=table), INFO) as sinks:
        for index in range(3):
            sinks.write(observation(index, index / 10), Counts(processed=index + 1))
            wait_until(lambda: all(each.written == index + 1 for each in sinks.lanes))  # noqa: B023
            wait_until(lambda: all(synced.get(n) == (tmp_path / n).stat().st_size for n in names))
        assert len(images_of(video)) >= 2, "it plays while it grows"


def test_a_rotation_that_the_disk_refuses_loses_no_earlier_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "frames"
    rotated = RotatedLines(path, max_bytes=20, keep=5)
    rotated.append("a" * 15 + "\n")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(Path, "open", refuse)
        for _ in range(2):
            with pytest.raises(SinkError, match="No space left on device"):
                rotated.append("b" * 15 + "\n")
    rotated.append("c" * 15 + "\n")
    rotated.close()
    assert path.read_text() == "c" * 15 + "\n"
    assert path.with_name("frames.1").read_text() == "a" * 15 + "\n"


def test_a_pipe_is_written_to_and_never_rotated(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_all(Outputs(log=pipe, log_max_mb=0.0001), [observation(i, i / 10) for i in range(5)])
    assert os.read(reader, 10**5).count(b"\n") == 5
    os.close(reader)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
