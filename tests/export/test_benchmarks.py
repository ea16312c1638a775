"""The benchmarks' own parts, on the tiny export of these tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks import table
from benchmarks.contestants import open_contest
from runtime.errors import ParityError

Command = Callable[..., tuple[int, str, str]]


def test_the_table_names_every_backend(command: Command, home: Path) -> None:
    code, out, err = command(table.app, home / "exports" / "tiny", "--rounds", 3)
    assert code == 0, err
    for backend in ("PyTorch eager FP32", "onnxruntime (CPU) FP32", "onnxruntime (CPU) FP16"):
        assert backend in out
    assert "p50 ms" in out
    assert "p5-p95 ms" in out
    assert "every timed result was within its precision's limits" in err


def test_a_fast_wrong_backend_does_not_win(home: Path) -> None:
    contest = open_contest(home / "exports" / "tiny")
    name = contest.contestants[1].name
    wrong = contest.contestants[1].infer(contest.frames[:1]) + np.float32(1)
    with pytest.raises(ParityError, match="largest logit difference"):
        contest.check_parity(name, [wrong])


def test_a_folder_without_exports(command: Command, tmp_path: Path) -> None:
    code, _, err = command(table.app, tmp_path)
    assert code == 1
    assert "holds none of model.onnx, model.fp16.onnx; make them with" in err
