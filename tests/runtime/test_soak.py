"""Long runs: memory, threads and open files stay as they are."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image

from tests.runtime.conftest import ROOT, scene, write_clip
from tests.runtime.rtsp import Run, Server, rtsp_server_works
from tests.runtime.soak import Footprint, footprint

TINY = (24, 32)
MOST_MB = 10.0
SHORT = 4_000
RECOVERIES, SETTLED_S = 6, 1.0
LOGS = ("--log-max-mb", "1", "--log-keep", "3")

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc"),
    pytest.mark.timeout(1200),
]


def assert_flat(warm: Sequence[Footprint]) -> None:
    """Measured at moments at which a process does the same."""
    growth = max(each.resident_mb for each in warm[1:]) - warm[0].resident_mb
    assert growth < MOST_MB, warm
    assert max(each.threads for each in warm) <= warm[0].threads + 1, warm  # one that is ending
    assert max(each.files for each in warm) <= warm[0].files + 2, warm  # a log that rotates, a mask


@pytest.mark.parametrize("frames", [SHORT, pytest.param(180_000, marks=pytest.mark.slow)])
def test_a_long_film_grows_in_nothing(tiny_model: Path, tmp_path: Path, frames: int) -> None:
    """A film through the command line with every output; the masks are cleared away meanwhile. The
    very long one goes without the overlay, which takes half of the time; `run after run` has it."""
    write_clip(tmp_path / "film.mp4", frames, TINY)
    outputs = ("--masks", "masks", "--log", "log", "--csv", "csv", *LOGS)
    outputs += ("--save", "overlay.mp4") if frames == SHORT else ()
    arguments = ("--source", "film.mp4", "--model", tiny_model, "--backend", "fake", "--json")
    during: list[Footprint] = []
    masks = 0
    with subprocess.Popen(
        [sys.executable, "-m", "runtime", *map(str, (*arguments, *outputs))],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        while process.poll() is None:
            before = masks
            masks += clear(tmp_path / "masks")
            if masks > before:
                during += measured(process.pid)
            time.sleep(0.1)
        assert process.stdout is not None
        summary = json.loads(process.stdout.read())
    assert process.returncode == 0
    assert summary["frames"]["seen"] == summary["frames"]["processed"] == frames
    assert {sink["written"] for sink in summary["sinks"].values()} == {frames}
    assert masks + clear(tmp_path / "masks") == frames
    assert len(list(tmp_path.glob("log*"))) <= 4
    steady = during[len(during) // 10 + 1 : -1]  # it begins and ends with fewer threads
    assert len(steady) >= 5
    assert_flat(steady)


def clear(folder: Path) -> int:
    """Deletes the masks of a folder and returns how many there were."""
    names = list(folder.glob("[!.]*.png"))
    for name in names:
        name.unlink()
    return len(names)


def measured(process: int) -> Iterator[Footprint]:
    """Its footprint, unless it ends just now."""
    try:
        yield footprint(process)
    except (OSError, ValueError):
        return


@pytest.mark.parametrize("times", [4, pytest.param(40, marks=pytest.mark.slow)])
def test_run_after_run_leaves_nothing_behind(tiny_model: Path, tmp_path: Path, times: int) -> None:
    """In one process: a film of 450 frames, and 50 pictures of which one is damaged."""
    write_clip(tmp_path / "film.mp4", 450, TINY)
    (tmp_path / "in").mkdir()
    for number in range(50):
        Image.fromarray(scene(TINY, number / 50)).save(tmp_path / "in" / f"{number:02d}.png")
    (tmp_path / "in" / "30.png").write_bytes(b"damaged")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.runtime.soak", tiny_model, tmp_path, str(times)),
            *(tmp_path / "film.mp4", tmp_path / "in"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    runs = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(runs) == times
    for run in runs:
        film, pictures = run.pop("sources")
        assert (film["processed"], film["failed"]) == (450, 0)
        assert (pictures["processed"], pictures["failed"]) == (49, 1)
    assert_flat([Footprint(**run) for run in runs[1 + times // 10 :]])


@pytest.mark.skipif(not rtsp_server_works(), reason="needs Debian's GStreamer RTSP server")
def test_a_stream_that_comes_and_goes_grows_in_nothing(
    server: Server, tiny_model: Path, tmp_path: Path
) -> None:
    """A hundred frames a second through the command line, lost and found six times."""
    server.start("--fps", "100", "--size", "32x64")
    outputs = ("--save", tmp_path / "overlay.mp4", "--masks", tmp_path / "masks")
    run = Run(server, tiny_model, tmp_path / "frames.jsonl", "--backend", "fake", *outputs)
    back: list[Footprint] = []
    for gaps in range(RECOVERIES + 1):
        run.wait_for('"gap": ' if gaps else "water_fraction", max(1, gaps))
        time.sleep(SETTLED_S)
        back += measured(run.process.pid)
        if gaps < RECOVERIES:
            server.kill()
            server.start("--fps", "100", "--size", "32x64")
    frames, _ = run.end(signal.SIGTERM)
    assert frames["gaps"] == RECOVERIES
    assert frames["processed"] > 100
    assert len(back) == RECOVERIES + 1
    assert_flat(back[1:])
