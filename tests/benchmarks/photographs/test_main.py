from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from benchmarks.photographs import __main__ as command
from benchmarks.photographs.outlines import Outline


def test_photographs_are_copied_into_their_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("wall", "road", "drive"):
        (tmp_path / f"{name}.jpg").write_text(name)
    packaged = {"learn": {"wall.jpg": tmp_path / "wall.jpg"}}
    cloned = {
        "learn": {"road.jpg": tmp_path / "road.jpg"},
        "streets": {"drive.jpg": tmp_path / "drive.jpg"},
        "clips": {"brook/0.jpg": tmp_path / "drive.jpg", "weir.jpg": tmp_path / "wall.jpg"},
    }
    monkeypatch.setattr(command, "find_packaged", lambda share: packaged)
    monkeypatch.setattr(command, "find_cloned", lambda clones: cloned)
    (tmp_path / "wide").mkdir()
    Image.new("RGB", (20, 10)).save(tmp_path / "wide" / "lake.png")
    lower = Outline(water=[[[0, 0.5], [1, 0.5], [1, 1], [0, 1]]], dry=[])
    outlined = {"also": {}, "water": {"wide/lake.png": lower}}
    monkeypatch.setattr(command, "find_outlined", lambda clones: outlined)
    command.main(tmp_path / "out", tmp_path, tmp_path)
    copied = {str(path.relative_to(tmp_path / "out")): path.read_text()
              for path in (tmp_path / "out").rglob("*.jpg")}  # fmt: skip
    assert copied == {"learn/wall.jpg": "wall", "learn/road.jpg": "road",
                      "streets/drive.jpg": "drive", "clips/brook/0.jpg": "drive",
                      "clips/weir.jpg": "wall"}  # fmt: skip
    assert (tmp_path / "out" / "water" / "Image" / "wide-lake.png").is_file()
    with Image.open(tmp_path / "out" / "water" / "Mask" / "wide-lake.png") as mask:
        assert mask.size == (20, 10)
        assert (mask.getpixel((5, 2)), mask.getpixel((5, 8))) == (0, 255)
