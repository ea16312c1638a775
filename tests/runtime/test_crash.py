"""kill -9 at random moments: every output is readable up to then."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from PIL import Image

from runtime.sinks.lane import DEPTH
from tests.runtime.conftest import ROOT, write_clip

TIMES = 25
UNDER_WAY = DEPTH + 4
"""Frames that wait for a sink, are being written or are held by the encoder at any moment; Matroska
holds half a second more."""
FORKING = """
import os, signal, sys
import av, cv2, rich.progress
import runtime.cameras, runtime.cli, runtime.report, runtime.backends.fake, runtime.sinks.video
for line in sys.stdin:
    folder, *arguments = line.split()
    pid = os.fork()
    if pid == 0:
        os.chdir(folder)
        sys.argv = ["flood-runtime", *arguments]
        runtime.cli.main()
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("ended", flush=True)
"""
"""Starts runs as forks of a process that has imported everything, to save their start-up."""


@pytest.fixture
def launcher() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", FORKING],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_after_kill_9_every_output_is_readable_up_to_then(
    launcher: subprocess.Popen[str], tiny_model: Path, tmp_path: Path
) -> None:
    moments = random.Random(0)
    clip = tmp_path / "clip.mp4"
    write_clip(clip, frames=4000)
    most = 0
    for number in range(TIMES):
        folder, suffix = tmp_path / str(number), ".mkv" if number % 5 == 0 else ".mp4"
        folder.mkdir()
        _run_and_kill(
            launcher,
            folder / ("frames.jsonl" if number % 4 else "overlay" + suffix),
            moments.uniform(0, 0.6),
            f"{folder} --source {clip} --model {tiny_model} --backend fake --masks masks "
            f"--save overlay{suffix} --log frames.jsonl --csv frames.csv "
            "--log-max-mb 0.01 --log-keep 999",
        )
        most = max(most, _readable_frames(folder, suffix))
    assert most > UNDER_WAY, "some run was killed after it had written something"


def _run_and_kill(
    launcher: subprocess.Popen[str], begun: Path, moment_s: float, arguments: str
) -> None:
    """Kills a run this long after a file of it has appeared."""
    assert launcher.stdin is not None and launcher.stdout is not None
    print(arguments, file=launcher.stdin, flush=True)
    pid = int(launcher.stdout.readline())
    while not begun.exists():
        time.sleep(0.001)
    time.sleep(moment_s)
    os.kill(pid, signal.SIGKILL)
    assert launcher.stdout.readline() == "ended\n"


def _readable_frames(folder: Path, suffix: str) -> int:
    """Frames in the log, once all outputs are found whole and as far as each other."""
    logged = [json.loads(line)["index"] for line in _lines(folder, "frames.jsonl")]
    assert logged == list(range(len(logged)))
    rows = [line for line in _lines(folder, "frames.csv") if not line.startswith("index")]
    assert [int(row[0]) for row in csv.reader(rows)] == list(range(len(rows)))
    masks = list((folder / "masks").glob("*.png")) if logged else []
    for mask in masks:
        with Image.open(mask) as picture:
            picture.load()
    video = folder / f"overlay{suffix}"
    shown = _decoded(video) if video.exists() and video.stat().st_size else 0
    for number in (len(rows), len(masks), shown):
        assert number >= len(logged) - UNDER_WAY - (5 if suffix == ".mkv" else 0)
    return len(logged)


def _lines(folder: Path, name: str) -> list[str]:
    """All lines of a rotated file, oldest first; each must be whole."""
    files = sorted(folder.glob(f"{name}.*"), key=lambda path: -int(path.suffix[1:]))
    files += [folder / name] if (folder / name).exists() else []
    texts = [file.read_text() for file in files]
    assert all(text.endswith("\n") for text in texts if text)
    return "".join(texts).splitlines()


def _decoded(video: Path) -> int:
    with av.open(video) as container:
        return sum(not frame.is_corrupt for frame in container.decode(video=0))
