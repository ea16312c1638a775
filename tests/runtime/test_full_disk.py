"""A disk that fills up stops the sink that fills it, says so once, and nothing else."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from runtime.counts import Counts
from runtime.observe import Observation
from runtime.sinks import Outputs, Sinks, lane, open_sinks
from tests.runtime.conftest import ROOT
from tests.runtime.observations import INFO, observation, wait_until


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(path)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small file system")
    yield path
    subprocess.run(["umount", str(path)], check=True)


def fill(disk: Path) -> Path:
    """Leaves no room at all on the disk; returns the file that takes it."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as stream:
        for size in (4096, 1):
            try:
                while True:
                    stream.write(b"\0" * size)
            except OSError:
                pass
    return filler


def noisy(index: int) -> Observation:
    """An observation whose mask does not compress to nothing."""
    made = observation(index, index / 100)
    made.mask[:] = np.random.default_rng(index).random(made.mask.shape) > 0.5
    return made


def test_sinks_stop_at_a_full_disk_and_go_on_when_there_is_room(
    small_disk: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(lane, "RETRY_S", 0.02)
    outputs = Outputs(
        video=small_disk / "overlay.mp4",
        masks=small_disk / "masks",
        csv=small_disk / "frames.csv",
        log=tmp_path / "frames.jsonl",
    )
    index = 0

    def write(sinks: Sinks) -> None:
        nonlocal index
        index += 1
        sinks.write(noisy(index - 1), Counts(processed=index))

    with open_sinks(outputs, INFO) as sinks:
        masks, video, _, table = sinks.lanes
        for _ in range(20):
            write(sinks)
        wait_until(lambda: min(each.written for each in sinks.lanes) == 20)
        filler = fill(small_disk)
        while not (masks.lost > 5 and video.lost > 5 and table.lost > 5):
            write(sinks)
        filler.unlink()
        before = [each.written for each in sinks.lanes]
        while not all(each.written > 20 + old for each, old in zip(sinks.lanes, before)):  # noqa: B905
            write(sinks)
        summary = sinks.summary()
    said = capsys.readouterr().err.splitlines()
    for name in ("masks", "overlay", "csv"):
        lines = [line for line in said if line.startswith(f"{name}: ")]
        assert len(lines) == 2, lines
        assert "No space left on device" in lines[0]
        assert "goes on; " in lines[1]
    assert summary["log"]["lost"] == 0
    logged = [json.loads(line)["index"] for line in outputs.log.read_text().splitlines()]  # type: ignore[union-attr]
    assert logged == list(range(index)), "the disk that has room knows nothing of all this"
    for mask in (small_disk / "masks").iterdir():
        with Image.open(mask) as picture:
            assert (np.asarray(picture) > 0).tolist() == noisy(int(mask.stem)).mask.tolist()
    rows = (small_disk / "frames.csv").read_text().splitlines()
    assert {row.count(",") for row in rows} == {5}
    with av.open(small_disk / "overlay.mp4") as container:
        frames = list(container.decode(video=0))
    assert not any(frame.is_corrupt for frame in frames)
    assert frames[-1].time == pytest.approx((index - 1) / 100, abs=0.01), "it shows the real time"
    assert str(sinks.fault()).startswith(f"masks: {masks.lost} frames were not written: cannot")


def test_a_limit_on_file_size_stops_only_the_file_that_reaches_it(
    clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "runtime", "--source", str(clip), "--model", str(tiny_model)]
        + ["--masks", "masks", "--save", "overlay.mp4", "--csv", "frames.csv", "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2500, 2500)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    summary = json.loads(done.stdout)
    assert summary["frames"]["processed"] == 20
    assert summary["sinks"]["masks"] == {"written": 20, "skipped": 0, "lost": 0}
    overlay = summary["sinks"]["overlay"]
    assert overlay["lost"] > 0 and overlay["written"] + overlay["lost"] >= 20
    assert done.stderr.count("overlay: cannot write overlay.mp4 (File too large)") == 1
    assert done.stderr.splitlines()[-1].startswith("error: overlay: ")
    with av.open(tmp_path / "overlay.mp4") as container:
        assert sum(1 for _ in container.decode(video=0)) > 0
    assert len((tmp_path / "frames.csv").read_text().splitlines()) == 21
