"""Shared parts: a real model, a real clip, and the command line as a process."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from runtime.cli import main
from tests.runtime.models import write_model
from tests.runtime.rtsp import Server

ROOT = Path(__file__).parents[2]
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real .onnx file with its manifest; takes 32x48 inputs and calls blue pixels water."""
    return write_model(tmp_path_factory.mktemp("model") / "model.onnx")


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of 20 frames at 10 FPS, 64x96: a blue lower part that grows by a row and a half per
    frame, on red land."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    write_clip(path)
    return path


def write_clip(path: Path, frames: int = 20, size: tuple[int, int] = (64, 96)) -> None:
    height, width = size
    code = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, 10.0, (width, height))
    assert writer.isOpened()
    for index in range(frames):
        writer.write(scene(size, 0.1 + 0.7 * index / max(1, frames - 1)))
    writer.release()


def scene(size: tuple[int, int], water: float) -> np.ndarray:
    """(H, W, 3) uint8 BGR: the lower share `water` of the rows is blue, the rest red."""
    image = np.full((*size, 3), (30, 60, 200), np.uint8)
    image[round(size[0] * (1 - water)) :] = (200, 60, 30)
    return image


@pytest.fixture
def server() -> Iterator[Server]:
    """An RTSP server, to be started; ended with the test."""
    server = Server()
    yield server
    server.kill()


@pytest.fixture
def flood_runtime(tmp_path: Path) -> Command:
    """Runs `flood-runtime` as a process of its own, in tmp_path."""

    def call(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "runtime", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return call


@pytest.fixture
def flood_runtime_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Command:
    """The same in this process, which saves its start; with the same exit code and output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = ["flood-runtime", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", command)
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return subprocess.CompletedProcess(command, int(ended.value.code or 0), *capfd.readouterr())

    return call


@pytest.fixture(params=[True, False], ids=["with PyAV", "without PyAV"])
def with_and_without_pyav(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.param:
        monkeypatch.setitem(sys.modules, "av", None)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Six seconds of film, made once for all tests that want the same, which leave it as it is."""
    from tests.runtime.test_sources_files import make

    @functools.cache
    def made(name: str, *options: str) -> Path:
        path = tmp_path_factory.mktemp("film") / name
        return make(path, *options, seconds=6, audio="-c:a" in options)

    return made
