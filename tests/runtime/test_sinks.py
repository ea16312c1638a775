"""All sinks as one: refused before any work, complete at the end, on the disk every second."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import pytest

from runtime import behind
from runtime.counts import Counts
from runtime.errors import SinkError
from runtime.sinks import Outputs, lane, open_sinks
from tests.runtime.observations import INFO, images_of, observation, wait_until, write_all


def test_the_summary_tells_what_each_sink_wrote_and_how_long_it_took(tmp_path: Path) -> None:
    outputs = Outputs(video=tmp_path / "o.mp4", masks=tmp_path / "m", log=tmp_path / "frames.jsonl")
    summary = write_all(outputs, [observation(i, i / 10) for i in range(3)]).summary()
    assert list(summary) == ["masks", "overlay", "log"]
    for sink in summary.values():
        assert sink.pop("ms") > 0
        assert sink == {"written": 3, "skipped": 0, "lost": 0}


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


def test_closing_twice_is_fine_and_completes_the_video(tmp_path: Path) -> None:
    video = tmp_path / "overlay.mp4"
    sinks = open_sinks(Outputs(video=video, log=tmp_path / "frames.jsonl"), INFO)
    sinks.write(observation(0, 0.0), Counts(processed=1))
    sinks.close()
    sinks.close()
    capture = cv2.VideoCapture(str(video))
    assert capture.read()[0]
    capture.release()


def test_what_was_written_is_put_on_the_disk_itself_every_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: dict[str, int] = {}

    def fsync(descriptor: int) -> None:
        synced[Path(f"/proc/self/fd/{descriptor}").readlink().name] = os.fstat(descriptor).st_size

    assert max(behind.IDLE_S, lane.FLUSH_S) <= 1
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(behind, "IDLE_S", 0.01)
    names = ("overlay.mp4", "frames.jsonl", "frames.csv")
    video, log, table = (tmp_path / name for name in names)
    with open_sinks(Outputs(video=video, log=log, csv=table), INFO) as sinks:
        for index in range(3):
            sinks.write(observation(index, index / 10), Counts(processed=index + 1))
            wait_until(lambda: all(each.written == index + 1 for each in sinks.lanes))  # noqa: B023
            wait_until(lambda: all(synced.get(n) == (tmp_path / n).stat().st_size for n in names))
        assert len(images_of(video)) >= 2, "it plays while it grows"
