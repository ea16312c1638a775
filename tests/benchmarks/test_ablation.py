"""The page of the recipes says what was measured."""

from __future__ import annotations

import json

from benchmarks.ablation import PAGE, RESULTS, ROWS, page


def test_the_page_is_what_the_results_give() -> None:
    assert PAGE.read_text() == page(json.loads(RESULTS.read_text()))


def test_a_row_that_was_never_trained_is_not_on_the_page() -> None:
    scores = {"iou": 0.5, "mean_iou": 0.5, "dice": 0.5, "boundary_f1": 0.5, "fraction_error": 0.1}
    run = {"row": "article", "size": "96", "epochs": 8, "seed": 0, **scores}
    larger = {**run, "size": "224", "iou": 0.8}
    text = page({"runs": [larger, run, {**run, "seed": 1, "iou": 0.7}]})
    assert "| article | 96 px | 2 | 0.600 (0.500-0.700) |" in text
    assert text.index("| article | 96 px |") < text.index("| article | 224 px | 1 | 0.800 |")
    assert not [name for name in ROWS if name != "article" and f"| {name} |" in text]
