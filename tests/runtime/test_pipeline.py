"""The run: frame to mask to files, and every frame accounted for."""

from __future__ import annotations

import dataclasses
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import runtime.model as model_module
from runtime.backends.checks import failed
from runtime.backends.fake import FakeBackend
from runtime.counts import Counts, Gaps
from runtime.errors import BackendError, SourceError
from runtime.images import Frame
from runtime.manifest_file import read_manifest
from runtime.model import Model, load_model
from runtime.observe import Observation, observe
from runtime.pipeline import run_pipeline
from runtime.report import summary_lines
from runtime.sinks import Sink, Sinks
from runtime.sources import SourceInfo, open_source
from runtime.tally import Tally
from tests.runtime.conftest import scene


@pytest.fixture(autouse=True, params=[1, 2])
def at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Frames that are in the network at once: nothing else may depend on it."""
    monkeypatch.setattr(model_module, "TWO_AT_ONCE", ("fp32",) if request.param == 2 else ())
    monkeypatch.setattr(model_module, "usable_cores", lambda: 2)
    return int(request.param)


class Scripted:
    """A source of `number` frames that then raises `error`; one in three fails to be read."""

    def __init__(self, number: int, live: bool = False, error: Exception | None = None) -> None:
        self.info = SourceInfo(uri="scripted", live=live, fps=None, frame_count=None)
        self.seen, self.failed = (2 if live else 0), 0
        self.dropped = Counter(frozen=2) if live else Counter()
        self.gaps = Gaps()
        self.number, self.error = number, error

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self.number):
            self.seen += 1
            if index % 3 == 2:
                self.failed += 1
                continue
            image = scene((40, 60), 0.5)
            yield Frame(image=image, index=index, timestamp_s=time.time(), name=str(index))
        if self.error is not None:
            raise self.error

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class Collecting:
    """A sink that keeps the water fractions, and may be slow."""

    name = "collecting"

    def __init__(self, fractions: list[float], slow: threading.Event | None = None) -> None:
        self.fractions, self.slow = fractions, slow
        self.ended: Counts | None = None

    def write(self, observation: Observation, counts: Counts) -> None:
        if self.slow is not None:
            assert self.slow.wait(20)
        self.fractions.append(observation.water_fraction)

    def flush(self) -> None:
        return None

    def end(self, counts: Counts) -> None:
        self.ended = counts

    def close(self) -> None:
        return None


def run(source: Any, model_path: Path, *sinks: Sink, **options: Any) -> Tally:
    tally = Tally()
    with (
        load_model(model_path, "fake", throughput=True) as model,
        Sinks(sinks, source.info.live) as opened,
    ):
        run_pipeline(source, model, opened, tally, **options)
    return tally


def test_an_observation_is_the_mask_at_frame_size_with_its_stages(tiny_model: Path) -> None:
    frame = Frame(image=scene((200, 100), 0.5), index=0, timestamp_s=0.0, name="a", read_ms=7.0)
    with load_model(tiny_model) as model:
        observed = observe(frame, model)
    assert observed.mask.shape == (200, 100)
    assert observed.mask.dtype == np.bool_
    assert not observed.mask[:95].any()
    assert observed.mask[105:].all()
    assert observed.water_fraction == pytest.approx(0.5, abs=0.02)
    assert list(observed.stage_ms) == ["read", "preprocess", "infer", "postprocess"]
    assert observed.stage_ms["read"] == 7.0
    assert all(ms > 0 for ms in observed.stage_ms.values())


def test_every_frame_of_a_clip_is_processed_and_its_water_is_followed(
    clip: Path, tiny_model: Path
) -> None:
    fractions: list[float] = []
    with open_source(str(clip)) as source:
        tally = run(source, tiny_model, Collecting(fractions))
    assert tally.counts.seen == tally.counts.processed == 20
    np.testing.assert_allclose(fractions, 0.1 + 0.7 * np.arange(20) / 19, atol=0.03)
    summary = tally.summary()
    assert summary["water_fraction"]["mean"] == pytest.approx(0.45, abs=0.02)
    assert summary["water_fraction"]["low"] == pytest.approx(min(fractions), abs=1e-6)
    assert summary["fps"] > 0


@pytest.mark.parametrize("live", [True, False])
def test_what_is_seen_is_processed_or_dropped_or_failed(tiny_model: Path, live: bool) -> None:
    counts = run(Scripted(90, live), tiny_model).counts
    assert counts.seen == (92 if live else 90), "what a source drops itself counts too"
    assert counts.failures == {"unreadable": 30}
    assert counts.processed + counts.dropped == counts.seen - 30
    assert counts.under_way == 0
    assert live or counts.dropped == 0


@pytest.mark.parametrize("live", [True, False])
def test_what_a_run_read_ahead_when_it_ended_is_accounted_for(tiny_model: Path, live: bool) -> None:
    """Frames of a file that were not asked for do not count as seen."""
    for number in range(1, 12):
        tally = run(Scripted(10**6, live), tiny_model, max_frames=number)
        counts = tally.counts
        assert (counts.processed, counts.under_way) == (number, 0)
        assert set(counts.reasons) <= ({"frozen", "queue full", "stopped"} if live else set())
        assert str(tally.fault()).endswith("could not be read") or not counts.failed


def test_a_frame_that_gets_lost_on_the_way_is_told(tiny_model: Path) -> None:
    class Losing(Scripted):
        def __iter__(self) -> Iterator[Frame]:
            for frame in super().__iter__():
                if frame.index != 6:
                    yield frame
            self.failed = 0  # and forgets what it could not read

    tally = run(Losing(9), tiny_model)
    assert str(tally.fault()).startswith("4 of 9 frames are not accounted for; this is a defect")
    (line, *_) = summary_lines(tally.summary())
    assert "9 frames seen = 5 processed + 0 dropped + 0 failed + 4 under way" in line


def failing_on(calls: Callable[[int], bool], path: Path, at_once: int) -> Model:
    """A model that fails at those calls of the network."""
    number = itertools.count()

    class Failing(FakeBackend):
        def infer(self, inputs: np.ndarray) -> np.ndarray:
            if calls(next(number)):
                raise failed("fake", "out of memory")
            return super().infer(inputs)

    manifest = read_manifest(path)
    return Model(manifest, Failing(path, manifest, at_once))


@pytest.mark.parametrize("live", [True, False])
def test_a_network_that_fails_now_and_then_costs_those_frames_and_no_more(
    tiny_model: Path, at_once: int, live: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    tally, sink = Tally(), Collecting([])
    model = failing_on(lambda call: call % 4 != 1, tiny_model, at_once)
    with Sinks([sink], live) as sinks:
        run_pipeline(Scripted(90, live), model, sinks, tally)
    counts = tally.counts
    assert counts.under_way == 0
    assert counts.processed + counts.failures["inference"] + counts.dropped == 60 + 2 * live
    assert counts.processed > 0
    assert counts.failures["inference"] >= 3 * (counts.processed - 1)
    assert sink.ended == counts
    assert capsys.readouterr().err.count("fake failed: out of memory") == 1, "told once a minute"
    counts = dataclasses.replace(counts, failures={"inference": 45})
    tally.counts = counts
    assert str(tally.fault()).startswith("the network failed on 45 of ")


def test_a_network_that_fails_every_time_ends_the_run(tiny_model: Path, at_once: int) -> None:
    tally = Tally()
    model = failing_on(lambda call: call >= 20, tiny_model, at_once)
    with (
        pytest.raises(
            BackendError, match=r"^1[0-2] frames in a row failed: fake failed: out of mem"
        ),
        Sinks([], live=False) as sinks,
    ):
        run_pipeline(Scripted(10**6), model, sinks, tally)
    assert tally.counts.processed == 20
    begun = 0 if at_once == 1 else at_once  # by the time that the last straw is known
    assert 10 <= tally.counts.failures["inference"] <= 10 + begun
    assert tally.counts.under_way == 0


def test_a_run_that_is_over_gets_no_longer_while_others_go_on(tiny_model: Path) -> None:
    tally = run(Scripted(9), tiny_model)
    before = tally.summary()
    time.sleep(0.01)
    assert tally.summary() == before


def test_the_tally_is_right_when_an_error_ends_the_run(tiny_model: Path) -> None:
    tally = Tally()
    source = Scripted(9, error=SourceError("the cable is out"))
    with (
        pytest.raises(SourceError, match=r"the cable is out"),
        load_model(tiny_model, "fake", throughput=True) as model,
        Sinks([], live=False) as sinks,
    ):
        run_pipeline(source, model, sinks, tally)
    assert (tally.counts.processed, tally.counts.failed) == (6, 3)


def test_a_run_ends_after_max_frames_or_on_request(tiny_model: Path) -> None:
    assert run(Scripted(10**6), tiny_model, max_frames=4).counts.processed == 4
    seen: list[float] = []
    tally = run(Scripted(10**6), tiny_model, Collecting(seen), stopped=lambda: len(seen) >= 3)
    assert 3 <= tally.counts.processed == len(seen) < 20


def test_the_summary_for_people_says_where_every_frame_went(tiny_model: Path) -> None:
    lines = summary_lines(run(Scripted(9), tiny_model).summary())
    assert lines[0].startswith(
        "9 frames seen = 6 processed + 0 dropped + 3 failed (3 unreadable); "
    )
    assert lines[1].startswith("water 50.")
    assert "infer " in lines[2]
    assert summary_lines(Tally().summary()) == [
        "0 frames seen = 0 processed + 0 dropped + 0 failed"
    ]


def test_a_slow_sink_holds_a_file_back_and_nothing_is_left_out(tiny_model: Path) -> None:
    slow, written = threading.Event(), list[float]()
    source = Scripted(300)
    runner = threading.Thread(target=run, args=(source, tiny_model, Collecting(written, slow)))
    runner.start()
    time.sleep(0.3)
    assert source.failed < 12, "frames that are under way are bounded"
    slow.set()
    runner.join(20)
    assert len(written) == 200


def test_a_slow_sink_of_a_live_source_skips_and_holds_nobody_back(tiny_model: Path) -> None:
    slow, written, quick = threading.Event(), list[float](), list[float]()
    sinks = Sinks([Collecting(written, slow), Collecting(quick)], live=True)
    source, tally = Scripted(90, live=True), Tally()
    with load_model(tiny_model, "fake", throughput=True) as model:
        run_pipeline(source, model, sinks, tally)
    slow.set()
    sinks.close()
    slow_sink, quick_sink = sinks.lanes
    processed = tally.counts.processed
    assert 0 < slow_sink.written == len(written) <= 5
    assert slow_sink.written + slow_sink.skipped == processed
    assert quick_sink.written + quick_sink.skipped == processed
    assert slow_sink.lost == quick_sink.lost == 0


def test_the_network_takes_as_many_frames_at_once_as_it_says(
    tiny_model: Path, at_once: int
) -> None:
    all_in, entered = threading.Barrier(at_once, timeout=20), list[int]()

    class Meeting(FakeBackend):
        def infer(self, inputs: np.ndarray) -> np.ndarray:
            entered.append(all_in.wait())  # passes only when as many are in
            return super().infer(inputs)

    manifest = read_manifest(tiny_model)
    model = Model(manifest, Meeting(tiny_model, manifest, at_once))
    with Sinks([], live=False) as sinks:
        run_pipeline(Scripted(9), model, sinks, Tally())
    assert len(entered) == 6


def test_results_come_in_the_order_of_the_frames(tiny_model: Path) -> None:
    class Ordered(Collecting):
        def write(self, observation: Observation, counts: Counts) -> None:
            self.fractions.append(observation.frame.index)
            assert counts.processed == len(self.fractions)

    indices: list[float] = []
    run(Scripted(300), tiny_model, Ordered(indices))
    assert indices == [index for index in range(300) if index % 3 != 2]


def test_no_thread_is_left_after_a_run_or_its_error(tiny_model: Path, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    run(Scripted(9), tiny_model, Collecting([]))
    with pytest.raises(SourceError):
        run(Scripted(9, error=SourceError("the cable is out")), tiny_model, Collecting([]))
    assert set(threading.enumerate()) <= before
