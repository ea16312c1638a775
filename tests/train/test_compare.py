from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import pytest

from runtime.console import run
from runtime.manifest import Manifest
from tests.train.runs import write_run
from train.compare import BARS, app, best_of, run_names, sparkline


def _compare(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["train.compare", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", "120")
    with pytest.raises(SystemExit) as left:
        run(app)
    return int(str(left.value.code or 0))


def _row(table: str, label: str) -> list[str]:
    (line,) = [line for line in table.splitlines() if line.startswith(f"│ {label}")]
    return [cell.strip() for cell in line.strip("│").split("│")][1:]


def test_only_settings_that_differ_are_shown_and_the_best_scores_marked(
    manifest: Manifest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = write_run(tmp_path / "first", manifest, seed=1, ious=(0.4, 0.7, 0.5))
    second = write_run(tmp_path / "second", manifest, seed=2, ious=(0.5, 0.8))
    assert _compare(monkeypatch, first.path, second.path) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert _row(shown.out, "seed") == ["1", "2"]
    assert _row(shown.out, "best epoch") == ["2 of 3", "2 of 2"]
    assert _row(shown.out, "IoU, all pixels") == ["0.7000", "0.8000*"]
    assert _row(shown.out, "water fraction, mean absolute error") == ["0.3000", "0.2000*"]
    assert _row(shown.out, "seconds per epoch") == ["12.0", "11.5"]
    assert _row(shown.out, "val IoU, 0.40 to 0.80") == ["▁▆▃", "▃█"]
    assert "recipe" not in shown.out


def test_a_score_that_an_older_run_did_not_count_is_left_open(
    manifest: Manifest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    old = write_run(tmp_path / "old", manifest, scores=("iou", "mean_iou"))
    new = write_run(tmp_path / "new", manifest, ious=(0.9,))
    assert _compare(monkeypatch, old.path, new.path) == 0
    table = capsys.readouterr().out
    assert _row(table, "Dice") == ["–", "0.9000"]
    assert _row(table, "IoU, mean of pictures") == ["0.7000", "0.9000*"]


def test_for_machines_everything_is_one_object(
    manifest: Manifest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folders = [write_run(tmp_path / name, manifest).path for name in ("a", "b")]
    assert _compare(monkeypatch, *folders, "--json") == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [one["run"] for one in runs] == ["a", "b"]
    assert runs[0]["best_epoch"] == 2
    assert runs[0]["scores"]["boundary_f1"] == 0.7
    assert runs[0]["val_iou"] == [0.4, 0.7, 0.6]
    assert runs[0]["settings"]["data"] == "photographs"


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"fingerprint": "e" * 64}, "not trained on the same data"),
        ({"split": "another way"}, "split the same data differently"),
    ],
)
def test_runs_of_other_data_are_compared_with_a_note(
    change: dict[str, str],
    note: str,
    manifest: Manifest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = dataclasses.replace(
        manifest, trained_on=dataclasses.replace(manifest.trained_on, **change)
    )
    folders = [write_run(tmp_path / "a", manifest).path, write_run(tmp_path / "b", other).path]
    assert _compare(monkeypatch, *folders) == 0
    shown = capsys.readouterr()
    assert len(shown.err.splitlines()) == 1
    assert note in shown.err
    assert "IoU, all pixels" in shown.out


def test_mistakes_are_one_line(
    manifest: Manifest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = write_run(tmp_path / "run", manifest).path
    for arguments, message in (
        ([folder], "wanted two or more"),
        ([folder, tmp_path], "is no run of 'python -m train'"),
        ([folder, tmp_path / "nowhere"], "is no run of 'python -m train'"),
    ):
        assert _compare(monkeypatch, *arguments) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ")
        assert message in line


def test_names_that_look_like_markup_are_shown_as_they_are(
    manifest: Manifest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folders = [
        write_run(tmp_path / name, manifest, data=data).path
        for name, data in (("[red]run", "[bold]floods"), ("b", "c"))
    ]
    assert _compare(monkeypatch, *folders) == 0
    table = capsys.readouterr().out
    assert "[red]run" in table
    assert "[bold]floods" in table


def test_runs_of_one_name_are_told_apart_by_their_paths() -> None:
    assert run_names([Path("x/a"), Path("x/b")]) == ["a", "b"]
    assert run_names([Path("x/a"), Path("y/a")]) == ["x/a", "y/a"]


def test_no_best_where_all_are_equal() -> None:
    assert best_of("iou", [0.5, 0.5]) is None
    assert best_of("iou", [None, 0.5]) is None
    assert best_of("iou", [0.4, 0.5, None]) == 0.5
    assert best_of("fraction_error", [0.4, 0.5]) == 0.4


def test_a_long_curve_is_shortened_and_keeps_its_peaks() -> None:
    values = [0.0] * 200
    values[77] = 1.0
    line = sparkline(values, 0.0, 1.0)
    assert len(line) <= 16
    assert line.count(BARS[-1]) == 1
    assert sparkline([0.5], 0.5, 0.5) == BARS[0]
