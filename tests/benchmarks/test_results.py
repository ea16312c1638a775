"""What benchmarks leave: JSON and back, README's table, the page."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.page import write_page
from benchmarks.results import FOLDER, Results, Row, Shape, read_all, read_results, write_results
from runtime.console import run
from runtime.errors import DataError
from tests.train.chromium import visit

PARITY = {"mean_abs": 0.002, "flipped": 0.0005, "fraction_difference": 0.0001}
ROWS = (
    Row(
        path="PyTorch eager FP32", precision="fp32", ms=(100.0, 104.0, 96.0), parity=PARITY, iou=0.8
    ),
    Row(path="OpenVINO INT8", precision="int8", ms=(20.0, 20.0, 24.0), parity=PARITY, iou=0.7),
    Row(path="OpenVINO BF16", precision="bf16", ms=(9.0,), parity=PARITY, iou=0.1, wrong="flips"),
    Row(path="TensorRT FP16", precision="fp16", device="cuda", missing="no GPU is <here>"),
)
SHAPE = Shape(
    size=(224, 224),
    batch=1,
    multiply_adds=4_000_000_000,
    frames="8 frames of generated scenes",
    rates={"fp32 cpu": (5e10, 4e10, 8e10)},
    rows=ROWS,
)
RESULTS = Results(
    date="2026-01-02",
    device="Some (R) CPU, 2 cores",
    threads=2,
    busy=0.1,
    versions={"torch": "2.8"},
    network="vgg19unet x1",
    shapes=(SHAPE, replace(SHAPE, batch=4)),
    pipeline={
        "films": {"INT8": {"fps": 40.0, "ratio": 1.02, "stage_ms": {"read": 3.0, "infer": 20.0}}},
        "first_mask_s": {"FP32": 0.9},
    },
    peers={"benchmark_app": {"what": "a frame", "theirs_ms": 20.0, "ours_ms": 20.4}},
    training={
        "default recipe": {
            "compute": "CPU, bfloat16",
            "pictures_per_s": 1.54,
            "articles_per_s": 0.6,
            "ratio": 2.5,
            "share": 0.92,
        }
    },
)


def test_results_come_back_as_they_were(tmp_path: Path) -> None:
    path = write_results(RESULTS, tmp_path)
    assert path.name == "some-r-cpu-2-cores.json"
    assert read_results(path) == RESULTS
    assert read_all(tmp_path) == [RESULTS]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 99}', '{"schema": 1, "shapes": []}'])
def test_what_is_no_result_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError, match=r"is no benchmark result .* measure it anew"):
        read_all(tmp_path)


def test_numbers_of_a_row() -> None:
    reference, int8, *_ = ROWS
    assert SHAPE.limit_ms(reference) == pytest.approx(80.0)  # 4 G at 50 G/s, the median
    assert SHAPE.limit_ms(int8) is None
    assert SHAPE.times_faster(int8) == pytest.approx(5.0)
    assert int8.spread == pytest.approx(0.1)


def test_older_results_stay_where_nothing_new_was_measured() -> None:
    new = replace(RESULTS, shapes=(replace(SHAPE, frames="others"),), peers={})
    both = new.beside(RESULTS)
    assert [shape.frames for shape in both.shapes] == ["others", SHAPE.frames]
    assert both.peers == RESULTS.peers
    assert replace(new, training={}).beside(RESULTS).training == RESULTS.training
    films = {"films": {"INT8, overlay": {"fps": 9.0}}}
    joined = replace(RESULTS, pipeline=films).beside(RESULTS).pipeline
    assert joined == {**RESULTS.pipeline, "films": RESULTS.pipeline["films"] | films["films"]}
    assert new.beside(replace(RESULTS, versions={"torch": "1"})) == new


def test_the_table_has_a_line_for_every_path() -> None:
    table = report.markdown([RESULTS])
    assert "| PyTorch eager FP32 | 100.0, 103.2, 103.9 | 4% | 1.00x | 80% |" in table
    assert "| OpenVINO INT8 | 20.0, 23.2, 23.9 | 10% | 5.00x |" in table
    assert "9.00, 9.00, 9.00 WRONG MASKS" in table
    assert "| TensorRT FP16 | not here: no GPU is <here> |" in table
    assert "INT8: 40.0 frames/s, 1.020 of the network alone" in table
    assert "default recipe, CPU, bfloat16: 1.54 pictures/s, 2.50 times the article's loop" in table
    assert "| benchmark_app | a frame | 20.0 | 20.4 | 0.98 |" in table
    widths = {
        line.count("|") for line in table.splitlines() if line.startswith("| ") and "ms" in line
    }
    assert len(widths) <= 2


def test_paths_that_one_reason_keeps_away_share_a_line() -> None:
    away = next(row for row in ROWS if row.missing)
    late = replace(away, path="TensorRT INT8")
    shape = replace(SHAPE, rows=(*ROWS, late))
    timed = replace(shape, batch=4, rows=(*ROWS, replace(ROWS[0], path=late.path)))
    together = report.markdown([replace(RESULTS, shapes=(shape,))])
    assert "| TensorRT FP16, TensorRT INT8 | not here: no GPU is <here> |" in together
    apart = report.markdown([replace(RESULTS, shapes=(shape, timed))])
    assert "| TensorRT INT8 | not here: no GPU is <here> |" in apart  # timed at the other batch


def test_readme_says_what_the_json_says() -> None:
    text = report.README.read_text(encoding="utf-8")
    table = report.markdown(read_all(FOLDER))
    assert report.with_table(report.README, table) == text, "run python -m benchmarks.report"


def test_the_report_fills_the_place_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    write_results(RESULTS, tmp_path / "results")
    arguments = ["--results", str(tmp_path / "results"), "--readme", str(readme)]
    monkeypatch.setattr(sys, "argv", ["report", *arguments])
    with pytest.raises(SystemExit, match="0"):
        run(report.app)
    assert "old" not in readme.read_text() and readme.read_text().endswith("after\n")
    assert "OpenVINO INT8" in readme.read_text()
    assert (tmp_path / "results" / "report.html").is_file()
    readme.write_text("no place")
    with pytest.raises(SystemExit, match="1"):
        run(report.app)
    assert "has no place for the table; put" in capsys.readouterr().err


def test_the_page_opens_offline(tmp_path: Path) -> None:
    page = write_page([RESULTS], tmp_path / "report.html")
    seen = visit(page, tmp_path)
    assert not seen.console and not seen.requests
    assert "no GPU is &lt;here&gt;" in seen.dom
    assert seen.dom.count("<svg") == 2 + len(RESULTS.shapes)
    assert json.dumps(RESULTS.device).strip('"') in seen.dom
