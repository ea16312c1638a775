"""The three paths side by side: PyTorch, ONNX Runtime FP32, ONNX Runtime FP16."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.contestants import Contest


@pytest.mark.parametrize(
    "position", range(3), ids=["pytorch-fp32", "exported-fp32", "exported-fp16"]
)
def test_one_frame(benchmark: BenchmarkFixture, contest: Contest, position: int) -> None:
    """Latency of one frame; the outputs that were timed have to be the reference's."""
    if position >= len(contest.contestants):
        pytest.skip("this export folder holds no such file")
    entry = contest.contestants[position]
    outputs = [
        benchmark.pedantic(entry.infer, args=(contest.frames[:1],), rounds=20, warmup_rounds=3)
    ]
    benchmark.extra_info.update(backend=entry.name, input_size=contest.manifest.input_size)
    contest.check_parity(entry.name, outputs)
