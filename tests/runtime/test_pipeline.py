"""The run: frame to mask to files, and every frame accounted for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.counts import Gaps
from runtime.errors import SourceError
from runtime.images import Frame
from runtime.model import load_model
from runtime.observe import observe
from runtime.pipeline import Tally, run_pipeline
from runtime.report import summary_lines
from runtime.sinks import Outputs, open_sinks
from runtime.sources import SourceInfo, open_source
from tests.runtime.conftest import scene


class Scripted:
    """A source of `number` frames that then raises `error`; one in three fails to be read."""

    def __init__(self, number: int, live: bool = False, error: Exception | None = None) -> None:
        self.info = SourceInfo(uri="scripted", live=live, fps=None, frame_count=None)
        self.failed = 0
        self.dropped = {"frozen": 2} if live else {}
        self.gaps = Gaps()
        self.number, self.error = number, error

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self.number):
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


def run(source: Any, model_path: Path, **options: Any) -> Tally:
    tally = Tally()
    with load_model(model_path, "fake") as model, open_sinks(Outputs(), source.info) as sinks:
        run_pipeline(source, model, sinks, tally, **options)
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
    fractions = []
    with open_source(str(clip)) as source:
        tally = run(source, tiny_model, progress=lambda now: fractions.append(now.water_fraction))
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
    assert counts.failed == 30
    assert counts.processed + counts.dropped == counts.seen - 30
    assert sum(counts.reasons.values()) == counts.dropped
    assert live or counts.dropped == 0


def test_the_tally_is_right_when_an_error_ends_the_run(tiny_model: Path) -> None:
    tally = Tally()
    source = Scripted(9, error=SourceError("the cable is out"))
    with (
        pytest.raises(SourceError, match=r"the cable is out"),
        load_model(tiny_model, "fake") as model,
        open_sinks(Outputs(), source.info) as sinks,
    ):
        run_pipeline(source, model, sinks, tally)
    assert (tally.counts.processed, tally.counts.failed) == (6, 3)


def test_a_run_ends_after_max_frames_or_on_request(tiny_model: Path) -> None:
    assert run(Scripted(10**6), tiny_model, max_frames=4).counts.processed == 4
    seen: list[int] = []
    tally = run(
        Scripted(10**6),
        tiny_model,
        progress=lambda now: seen.append(now.counts.processed),
        stopped=lambda: len(seen) >= 3,
    )
    assert tally.counts.processed == 3


def test_the_summary_for_people_says_where_every_frame_went(tiny_model: Path) -> None:
    lines = summary_lines(run(Scripted(9), tiny_model).summary())
    assert lines[0].startswith("9 frames seen = 6 processed + 0 dropped + 3 failed; ")
    assert lines[1].startswith("water 50.")
    assert "infer " in lines[2]
    assert summary_lines(Tally().summary()) == [
        "0 frames seen = 0 processed + 0 dropped + 0 failed"
    ]
