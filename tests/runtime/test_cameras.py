"""Several cameras in one process: one model, nobody waits for anybody, each has its own files."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from runtime import cameras
from runtime.cameras import Camera, open_cameras, run_cameras
from runtime.errors import SourceError
from runtime.model import load_model
from runtime.sinks import Outputs, Sinks
from runtime.sources import open_source
from runtime.stopping import Stop
from tests.runtime.conftest import Command, write_clip
from tests.runtime.test_pipeline import Collecting, Scripted


class Waiting(Scripted):
    """A source whose third frame comes when it is allowed to."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.go = threading.Event()

    def __iter__(self) -> Any:
        for frame in super().__iter__():
            if frame.index >= 3:
                assert self.go.wait(20)
            yield frame


def camera(name: str, source: Any, *sinks: Any) -> Camera:
    return Camera(name, source, Outputs(), Sinks(sinks, source.info.live))


def test_no_camera_waits_for_a_slower_one(tiny_model: Path) -> None:
    slow, fast = camera("slow", Waiting(30)), camera("fast", Scripted(3000))
    with load_model(tiny_model, "fake") as model:
        runner = threading.Thread(target=run_cameras, args=([slow, fast], model, Stop()))
        runner.start()
        assert fast.finished.wait(20)
        assert slow.tally.counts.processed == 2
        slow.source.go.set()  # type: ignore[attr-defined]
        runner.join(20)
    assert slow.tally.counts.processed == 20
    assert fast.tally.counts.processed == 2000


def test_an_error_of_one_camera_ends_only_that_one(tiny_model: Path) -> None:
    broken = camera("broken", Scripted(9, error=SourceError("the cable is out")))
    well = camera("well", Scripted(300))
    with load_model(tiny_model, "fake") as model:
        assert run_cameras([broken, well], model, Stop())
    assert str(broken.fault()) == "the cable is out"
    assert well.tally.counts.processed == 200


def test_a_sink_that_hangs_does_not_keep_the_run_from_ending(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cameras, "GRACE_S", 0.1)
    hanging, quick = threading.Event(), list[float]()
    one = camera("one", Scripted(10**6), Collecting([], hanging), Collecting(quick))
    stop = Stop()
    threading.Timer(0.2, lambda: setattr(stop, "requested", True)).start()
    with load_model(tiny_model, "fake") as model:
        start_s = time.monotonic()
        assert not run_cameras([one], model, stop)
        assert time.monotonic() - start_s < 10, "else it would have hung for 20 s"
        assert one.sinks.lanes[1].written == len(quick) > 0
        assert "one: still busy" in str(cameras.unfinished([one]))
        hanging.set()
        assert one.finished.wait(20)


def test_closing_the_window_ends_the_run(tiny_model: Path) -> None:
    one, looks = camera("one", Waiting(10**6)), list[int]()

    def look() -> bool:
        looks.append(1)
        return len(looks) < 3

    stop = Stop()
    with load_model(tiny_model, "fake") as model:
        assert run_cameras([one], model, stop, look)
    assert stop.requested


def test_each_camera_has_a_folder_of_its_own(tmp_path: Path, clip: Path) -> None:
    outputs = Outputs(video=tmp_path / "out" / "a.mp4", masks=tmp_path / "out" / "masks")
    with open_cameras([str(clip)], outputs, False) as (opened, _):
        assert opened[0].outputs == outputs
    with open_cameras([str(clip)] * 2, outputs, False) as (opened, _):
        assert [each.outputs.paths for each in opened] == [
            [tmp_path / "out" / name / "a.mp4", tmp_path / "out" / name / "masks"]
            for name in ("camera-1", "camera-2")
        ]


def test_several_sources_through_the_command_line(
    flood_runtime: Command, clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    write_clip(tmp_path / "other.mp4", frames=35, size=(48, 48))
    whole = (tmp_path / "other.mp4").read_bytes()
    (tmp_path / "damaged.jpg").write_bytes(whole[:500])
    done = flood_runtime(
        *("--source", clip, "--source", "other.mp4", "--source", "damaged.jpg"),
        *("--model", tiny_model, "--save", "out/overlay.mp4", "--log", "out/frames.jsonl"),
        *("--masks", "out/masks", "--csv", "out/frames.csv", "--json"),
    )
    assert done.returncode == 1, done.stderr
    summaries = json.loads(done.stdout)["sources"]
    assert [each["frames"]["processed"] for each in summaries] == [20, 35, 0]
    for name, number in (("camera-1", 20), ("camera-2", 35)):
        folder = tmp_path / "out" / name
        assert len((folder / "frames.jsonl").read_text().splitlines()) == number + 1
        assert len((folder / "frames.csv").read_text().splitlines()) == number + 1
        assert len(list((folder / "masks").iterdir())) == number
        with open_source(str(folder / "overlay.mp4")) as video:
            assert len(list(video)) == number
        assert f"{name}: {number} frames seen = {number} processed" in done.stderr
    assert "camera-3: " in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ")
