from __future__ import annotations

import sys
from pathlib import Path

import cv2
import pytest

from runtime.errors import SinkError
from runtime.sinks.plain_video import PlainVideo
from runtime.sources.base import SourceInfo
from tests.runtime.conftest import Command


def test_without_pyav_opencv_writes_the_video_and_the_user_is_told(
    flood_runtime_here: Command,
    tiny_model: Path,
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    for module in ("video", "encoder"):
        monkeypatch.delitem(sys.modules, f"runtime.sinks.{module}", raising=False)
    done = flood_runtime_here("--source", clip, "--model", tiny_model, "--save", "overlay.mp4")
    assert done.returncode == 0, done.stderr
    assert "pip install 'flood-runtime[video]'" in done.stderr
    capture = cv2.VideoCapture(str(tmp_path / "overlay.mp4"))
    shapes = []
    while (read := capture.read())[0]:
        shapes.append(read[1].shape)
    assert shapes == [(64, 96, 3)] * 20


def test_other_suffixes_and_unwritable_folders_are_refused(tmp_path: Path) -> None:
    info = SourceInfo(uri="clip.mp4", live=False, fps=10.0, frame_count=20)
    with pytest.raises(SinkError, match=r"cannot save .*a\.gif: wanted a name that ends in \.mp4"):
        PlainVideo(tmp_path / "a.gif", info)
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match=r"cannot write .*file"):
        PlainVideo(tmp_path / "file" / "a.mp4", info)
