"""Sinks: playable videos at the source's pace, exact masks, whole lines."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from runtime.counts import Counts
from runtime.errors import SinkError
from runtime.images import Frame
from runtime.observe import Observation
from runtime.sinks import Outputs, open_sinks
from runtime.sinks.video import fit
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


def write_all(outputs: Outputs, observations: list[Observation]) -> Observation:
    with open_sinks(outputs, INFO) as sinks:
        for number, each in enumerate(observations, 1):
            written = sinks.write(each, Counts(processed=number, dropped=2 * number, failed=1))
    return written


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
            assert path.read_text().count("\n") == index + 1
    assert json.loads(path.read_text().splitlines()[2]) == {
        "index": 2,
        "name": "000002",
        "timestamp_s": 0.2,
        "water_fraction": 0.25,
        "ms": {"infer": 1.5},
        "dropped": 2,
        "failed": 0,
    }


def test_the_log_holds_the_time_of_the_other_sinks(tmp_path: Path) -> None:
    outputs = Outputs(video=tmp_path / "o.mp4", masks=tmp_path / "m", log=tmp_path / "frames.jsonl")
    written = write_all(outputs, [observation(0, 0.0)])
    line = json.loads((tmp_path / "frames.jsonl").read_text())
    assert list(line["ms"]) == ["infer", "masks", "overlay"]
    assert list(written.stage_ms) == ["infer", "masks", "overlay", "log"]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".MP4"])
def test_the_video_plays_and_shows_the_water_tinted(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"overlay{suffix}"
    write_all(Outputs(video=path), [observation(i, i / 10, (360, 640), 0.5) for i in range(5)])
    images = images_of(path)
    assert len(images) == 5
    land, water = images[2][100, 320].astype(int), images[2][300, 500].astype(int)
    np.testing.assert_allclose(land, (30, 60, 200), atol=12)
    assert water[1] > 80, "water is (200, 60, 30) in the frame and lighter blue when tinted"


@pytest.mark.parametrize(
    ("stamps", "frames"),
    [
        ([0.0, 0.1, 0.2, 0.3], 4),
        ([0.0, 0.1, 0.5, 0.6], 7),
        ([0.0, 0.01, 0.02, 0.03], 4),
        ([5.0, 5.02, 5.2, 5.3], 4),
        ([0.0, 1000.0], 101),
        ([9.0, 3.0, 3.1], 3),
    ],
    ids=["even", "gap", "burst", "jitter", "long gap", "clock set back"],
)
def test_the_video_keeps_the_sources_time_and_no_frame_is_left_out(
    tmp_path: Path, stamps: list[float], frames: int
) -> None:
    path = tmp_path / "overlay.mp4"
    write_all(Outputs(video=path), [observation(i, stamp) for i, stamp in enumerate(stamps)])
    assert len(images_of(path)) == frames


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
    with pytest.raises(SinkError, match=r"cannot save overlay\.gif: wanted a name in \.mp4, \.mkv"):
        open_sinks(Outputs(video=tmp_path / "overlay.gif"), INFO)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full plays the full disk")
def test_a_full_disk_is_one_clear_error() -> None:
    with (
        pytest.raises(SinkError, match=r"cannot write /dev/full \(No space left on device\)"),
        open_sinks(Outputs(log=Path("/dev/full")), INFO) as sinks,
    ):
        sinks.write(observation(0, 0.0), Counts(processed=1))


def test_closing_twice_is_fine_and_completes_the_video(tmp_path: Path) -> None:
    video = tmp_path / "overlay.mp4"
    sinks = open_sinks(Outputs(video=video, log=tmp_path / "frames.jsonl"), INFO)
    sinks.write(observation(0, 0.0), Counts(processed=1))
    sinks.close()
    sinks.close()
    capture = cv2.VideoCapture(str(video))
    assert capture.read()[0]
    capture.release()
