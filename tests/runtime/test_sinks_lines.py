"""The log and the table: whole lines, rotated by size."""

from __future__ import annotations

import csv
import errno
import json
import os
from pathlib import Path

import pytest

from runtime.counts import Counts, Gap
from runtime.errors import SinkError
from runtime.sinks import Outputs, open_sinks
from runtime.sinks.growing import make_way
from runtime.sinks.lines import RotatedLines
from tests.runtime.observations import INFO, observation, wait_until, write_all


def test_the_log_has_one_whole_line_per_frame_as_soon_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "frames.jsonl"
    with open_sinks(Outputs(log=path), INFO) as sinks:
        for index in range(3):
            counts = Counts(seen=9, processed=index + 1, reasons={"stale": index})
            sinks.write(observation(index, index / 10), counts)
            wait_until(lambda lines=index + 1: path.read_text().count("\n") == lines)  # type: ignore[misc]
    assert json.loads(path.read_text().splitlines()[2]) == {
        "index": 2,
        "name": "000002",
        "timestamp_s": 0.2,
        "water_fraction": 0.25,
        "ms": {"infer": 1.5},
        "seen": 9,
        "processed": 3,
        "dropped": 2,
        "reasons": {"stale": 2},
        "failed": 0,
        "failures": {},
        "gaps": 0,
        "away_s": 0.0,
    }


@pytest.mark.parametrize("seen", [0, 7])
def test_the_last_line_of_the_log_has_the_totals(tmp_path: Path, seen: int) -> None:
    path = tmp_path / "frames.jsonl"
    gap = Gap(start_s=1.7e9, duration_s=2.5, reason="no frame for 5 s")
    counts = Counts(
        seen=seen,
        reasons={"stale": 4, "frozen": 1},
        failures={"inference": 2},
        gaps=min(seen, 1),
        away_s=2.5,
        last_gap=gap,
    )
    with open_sinks(Outputs(log=path, csv=tmp_path / "frames.csv"), INFO) as sinks:
        sinks.end(counts)
    if seen:
        assert json.loads(path.read_text())["summary"] == {
            **{"seen": 7, "processed": 0, "dropped": 5, "reasons": {"stale": 4, "frozen": 1}},
            **{"failed": 2, "failures": {"inference": 2}, "gaps": 1, "away_s": 2.5},
            "gap": {"start_s": 1.7e9, "duration_s": 2.5, "reason": "no frame for 5 s"},
        }
    assert [file.name for file in tmp_path.iterdir()] == ["frames.jsonl"] * min(seen, 1)


def test_the_table_has_a_header_and_a_row_per_frame(tmp_path: Path) -> None:
    write_all(Outputs(csv=tmp_path / "frames.csv"), [observation(i, i / 10) for i in range(2)])
    with (tmp_path / "frames.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows[1] == {
        "index": "1",
        "name": "000001",
        "timestamp_s": "0.100000",
        "water_fraction": "0.250000",
        "dropped": "4",
        "failed": "1",
    }


@pytest.mark.parametrize("kind", ["log", "csv"])
def test_full_logs_are_rotated_and_only_so_many_are_kept(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "frames"
    outputs = Outputs(log_max_mb=0.001, log_keep=2, **{kind: path})
    write_all(outputs, [observation(i, i / 10) for i in range(60)])
    files = [path.with_name("frames.2"), path.with_name("frames.1"), path]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    indices = []
    for file in files:
        assert 0 < file.stat().st_size <= 1000
        if kind == "log":
            indices += [json.loads(line)["index"] for line in file.read_text().splitlines()]
        else:
            indices += [int(row["index"]) for row in csv.DictReader(file.read_text().splitlines())]
    assert indices == list(range(60 - len(indices), 60)), "no line is lost between files"


def test_the_log_of_an_earlier_run_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "frames.jsonl"
    for index in (7, 8):
        write_all(Outputs(log=path), [observation(index, 0.0)])
    assert json.loads(path.read_text())["index"] == 8
    assert json.loads(path.with_name("frames.jsonl.1").read_text())["index"] == 7


def test_a_rotation_that_the_disk_refuses_loses_no_earlier_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "frames"
    rotated = RotatedLines(path, max_bytes=20, keep=5)
    rotated.append("a" * 15 + "\n")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(Path, "open", refuse)
        for _ in range(2):
            with pytest.raises(SinkError, match="No space left on device"):
                rotated.append("b" * 15 + "\n")
    rotated.append("c" * 15 + "\n")
    rotated.close()
    assert path.read_text() == "c" * 15 + "\n"
    assert path.with_name("frames.1").read_text() == "a" * 15 + "\n"


def test_a_pipe_is_written_to_and_never_rotated(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_all(Outputs(log=pipe, log_max_mb=0.0001), [observation(i, i / 10) for i in range(5)])
    assert os.read(reader, 10**5).count(b"\n") == 5
    os.close(reader)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_any_number_may_be_kept_and_files_move_up_to_the_first_free_name(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for name in ("log", "log.1", "log.3"):
        (tmp_path / name).write_text(name)
    make_way(path, keep=10**12)
    kept = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert kept == {"log.1": "log", "log.2": "log.1", "log.3": "log.3"}
    path.write_text("new")
    make_way(path, keep=2)
    kept = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert kept == {"log.1": "new", "log.2": "log", "log.3": "log.3"}
