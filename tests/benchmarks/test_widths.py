"""The page that says which width is worth what."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import widths
from runtime.console import run

ROW = {
    "network": "vgg19unet-bn x0.25",
    "size": [224, 224],
    "bytes": 2_050_000,
    "multiply_adds": 2_720_000_000,
    "iou": 0.8042,
    "interval": [0.755, 0.848],
    "boundary_f1": 0.676,
    "ms": {"onnxruntime": [14.0, 15.0, 16.0], "openvino": [9.0, 9.4, 9.9]},
}
SLOW = {**ROW, "iou": 0.81, "ms": {"onnxruntime": [40, 41, 42], "openvino": [30, 31, 32]}}
FACTS = {"date": "2026-01-02", "device": "CPU", "note": "so", "rows": {"wide": SLOW, "narrow": ROW}}


def test_the_page_and_the_picture_are_what_the_results_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = json.loads(widths.RESULTS.read_text())
    assert widths.PAGE.read_text() == widths.page(facts)
    monkeypatch.setattr(widths, "PICTURE", tmp_path / "widths.png")
    widths.draw(facts)
    with Image.open(widths.PICTURE) as drawn, Image.open(widths.PAGE.with_suffix(".png")) as kept:
        assert drawn.size == kept.size


def test_the_fastest_comes_first_with_its_quartiles() -> None:
    lines = widths.page(FACTS).splitlines()
    narrow = next(line for line in lines if line.startswith("| narrow"))
    assert "| 2.05 | 2.72 G | 0.804 (0.755-0.848) | 0.676 | 15.0 (14.0-16.0) | 9.4" in narrow
    assert lines.index(narrow) < next(i for i, line in enumerate(lines) if line[:6] == "| wide")


def test_a_folder_without_an_int8_graph_is_refused_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["widths", str(tmp_path), "--data", "synthetic"]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as done:
        run(widths.app)
    assert done.value.code == 1
    assert "holds no .onnx file" in capfd.readouterr().err.splitlines()[-1]
