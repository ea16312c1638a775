from __future__ import annotations

import csv
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from runtime.errors import DataError, SinkError
from train.clips import app, clip_scenes, write_clip

SIZE = (72, 128)


def frames(path) -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(path))
    found = []
    while True:
        there, frame = capture.read()
        if not there:
            capture.release()
            return found
        found.append(frame)


def test_a_clip_is_a_video_with_one_true_fraction_per_frame(tmp_path) -> None:
    path = tmp_path / "new folder" / "clip.mp4"
    fractions = write_clip(path, seconds=2.0, fps=10.0, size=SIZE, seed=0)
    pictures = frames(path)
    assert len(pictures) == len(fractions) == 20
    assert pictures[0].shape == (*SIZE, 3)
    assert [entry.name for entry in path.parent.iterdir()] == ["clip.mp4"]
    assert cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FPS) == pytest.approx(10.0)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_water_rises_from_a_tenth_to_over_half_and_falls_a_little(seed: int) -> None:
    fractions = np.array([scene.mask.mean() for scene in clip_scenes(20, 2.0, SIZE, seed)])
    peak = int(fractions.argmax())
    assert fractions[0] < 0.15
    assert fractions.max() > 0.5
    assert 10 < peak < 19
    assert fractions[-1] < fractions.max() - 0.01
    assert np.all(np.diff(fractions[: peak + 1]) > -0.03)


def test_the_video_shows_the_scenes_that_were_measured(tmp_path) -> None:
    path = tmp_path / "clip.mp4"
    fractions = write_clip(path, seconds=1.0, fps=5.0, size=SIZE, seed=1)
    scenes = list(clip_scenes(5, 5.0, SIZE, 1))
    assert fractions == [float(scene.mask.mean()) for scene in scenes]
    for picture, scene in zip(frames(path), scenes, strict=True):
        assert np.abs(picture[..., ::-1].astype(int) - scene.image).mean() < 12


def test_the_same_seed_gives_the_same_clip_and_another_seed_another() -> None:
    first, again, other = (next(clip_scenes(3, 5.0, SIZE, seed)) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first.image, again.image)
    assert (first.image != other.image).any()


def test_the_command_writes_the_truth_beside_the_clip(tmp_path) -> None:
    path = tmp_path / "flood.mp4"
    command = [sys.executable, "-m", "train.clips", str(path), "--seconds", "1", "--fps", "4"]
    done = subprocess.run(
        [*command, "--size", "72x128"], capture_output=True, text=True, check=True, env=os.environ
    )
    truth = tmp_path / "flood.truth.csv"
    assert done.stdout.split() == [str(path), str(truth)]
    with truth.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["index"] for row in rows] == ["0", "1", "2", "3"]
    assert float(rows[3]["timestamp_s"]) == 0.75
    expected = [float(scene.mask.mean()) for scene in clip_scenes(4, 4.0, SIZE, 0)]
    assert [float(row["water_fraction"]) for row in rows] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"seconds": 0.0}, "take up to 3600 s"),
        ({"fps": 0.0}, "1 to 240 frames/s"),
        ({"size": (71, 128)}, "take even sides from 64 to 4096"),
        ({"size": (32, 32)}, "take even sides from 64 to 4096"),
    ],
)
def test_a_clip_that_cannot_be_is_refused_in_one_line(tmp_path, wrong, message) -> None:
    with pytest.raises(DataError, match=message):
        write_clip(tmp_path / "clip.mp4", **wrong)
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_no_mp4_is_refused(tmp_path) -> None:
    with pytest.raises(SinkError, match=r"ends in \.mp4"):
        write_clip(tmp_path / "clip.png", seconds=1.0, size=SIZE)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_named(tmp_path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(SinkError, match="cannot write"):
        write_clip(tmp_path / "file" / "clip.mp4", seconds=1.0, size=SIZE)


def test_a_size_that_is_no_size_is_wrong_usage(tmp_path) -> None:
    result = CliRunner().invoke(app, [str(tmp_path / "clip.mp4"), "--size", "big"])
    assert result.exit_code == 2
    assert "HEIGHTxWIDTH" in result.output
