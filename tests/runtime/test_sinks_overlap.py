"""Outputs that would destroy an input or one another are refused, and nothing is touched."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from runtime.errors import SinkError
from runtime.sinks import Outputs
from runtime.sinks.overlap import refuse_overlaps
from tests.runtime.conftest import Command, scene
from tests.runtime.test_cli import assert_one_error_line


@pytest.fixture
def here(tmp_path: Path, clip: Path) -> Path:
    """Holds clip.mp4, two links to it, and photographs in pics, to which other leads."""
    shutil.copy(clip, tmp_path / "clip.mp4")
    (tmp_path / "link.mp4").symlink_to("clip.mp4")
    (tmp_path / "hard.mp4").hardlink_to(tmp_path / "clip.mp4")
    (tmp_path / "pics").mkdir()
    for name in ("1.png", "2.jpg"):
        Image.fromarray(scene((40, 60), 0.5)[..., ::-1]).save(tmp_path / "pics" / name)
    (tmp_path / "other").symlink_to("pics")
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--source clip.mp4 --save clip.mp4", "--save clip.mp4 would overwrite clip.mp4, which"),
        ("--source clip.mp4 --save ./pics/../link.mp4", "would overwrite clip.mp4"),
        ("--source link.mp4 --save hard.mp4", "would overwrite link.mp4"),
        ("--source clip.mp4 --log clip.mp4", "--log clip.mp4 would overwrite"),
        ("--source pics --masks pics", "--masks pics would overwrite pics/1.png"),
        ("--source pics/1.png --masks other", "--masks other would overwrite pics/1.png"),
        ("--source pics/*.png --masks pics", "would overwrite pics/1.png"),
        ("--source clip.mp4 --log model.onnx", "would overwrite model.onnx"),
        ("--source clip.mp4 --log x --csv x", "--log x and --csv x would write the same file"),
        ("--source clip.mp4 --save x.mp4 --csv other/../x.mp4", "would write the same file"),
        ("--source clip.mp4 --log x --csv pics/../x.2", "would write the same file"),
        ("--source clip.mp4 --masks m --log m/000000.png", "would write the same file"),
        ("--source 0 --source clip.mp4 --log x --csv x", "would write the same file"),
    ],
)
def test_an_output_that_would_destroy_something_is_refused_before_anything_is_opened(
    flood_runtime_here: Command, here: Path, tiny_model: Path, arguments: str, message: str
) -> None:
    for file in tiny_model.parent.glob("model.onnx*"):
        shutil.copy(file, here)
    before = contents(here)
    done = flood_runtime_here(*arguments.split(), "--model", "model.onnx")
    assert_one_error_line(done, message)
    assert contents(here) == before


def test_what_only_lies_together_is_written(
    flood_runtime_here: Command, here: Path, tiny_model: Path
) -> None:
    done = flood_runtime_here(
        *("--source", "pics/2.jpg", "--masks", "pics", "--log", "pics/x", "--csv", "pics/y"),
        *("--model", tiny_model),
    )
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in (here / "pics").iterdir())
    assert names == ["1.png", "2.jpg", "2.png", "x", "y"]


def test_cameras_are_compared_with_one_another_and_devices_are_not(tmp_path: Path) -> None:
    null = Path("/dev/null")
    refuse_overlaps([], [Outputs(log=null, csv=null)])
    with pytest.raises(SinkError, match="would write the same file"):
        refuse_overlaps([], [Outputs(log=tmp_path / "x"), Outputs(csv=tmp_path / "x")])
