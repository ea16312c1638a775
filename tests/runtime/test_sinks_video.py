"""The overlay video: playable, at the source's pace, in one size."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from runtime.counts import Counts
from runtime.errors import SinkError
from runtime.sinks import Outputs, open_sinks
from runtime.sinks.canvas import fit
from runtime.sources import SourceInfo
from tests.runtime.observations import INFO, images_of, observation, write_all


def test_only_a_live_run_keeps_the_video_of_an_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "overlay.mp4"
    for live, files in ((False, 1), (False, 1), (True, 2), (True, 3)):
        info = SourceInfo(uri="0", live=live, fps=None, frame_count=None)
        with open_sinks(Outputs(video=path), info) as sinks:
            sinks.write(observation(0, 0.0), Counts(processed=1))
        assert len(list(tmp_path.iterdir())) == files
    assert len(images_of(path.with_name("overlay.mp4.2"))) == 1


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


@pytest.mark.parametrize(("rows", "columns"), [(1, 0), (0, 1), (1, 1)])
def test_a_side_that_is_odd_grows_without_a_black_line(rows: int, columns: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (100 - rows, 50 - columns, 3), np.uint8)
    fitted = fit(picture, (100, 50))
    np.testing.assert_array_equal(fitted[: 100 - rows, : 50 - columns], picture)
    np.testing.assert_array_equal(fitted[99, : 50 - columns], picture[-1])
    np.testing.assert_array_equal(fitted[: 100 - rows, 49], picture[:, -1])


def test_a_run_without_frames_leaves_no_empty_video(tmp_path: Path) -> None:
    with open_sinks(Outputs(video=tmp_path / "overlay.mp4"), INFO):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_video_needs_a_name_that_says_its_format(tmp_path: Path) -> None:
    with pytest.raises(
        SinkError, match=r"cannot save .*\.gif: wanted a name that ends in \.mp4, \.mov, \.mkv"
    ):
        open_sinks(Outputs(video=tmp_path / "overlay.gif"), INFO)
