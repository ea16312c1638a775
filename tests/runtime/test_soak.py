"""Long runs: memory, threads and open files stay as they are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runtime.conftest import ROOT


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("frames", "growth_mb"), [(4_000, 2.0), pytest.param(200_000, 10.0, marks=pytest.mark.slow)]
)
def test_a_long_run_grows_in_nothing(
    tiny_model: Path, tmp_path: Path, frames: int, growth_mb: float
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.runtime.soak", str(tiny_model), str(tmp_path), str(frames)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    before, *during, after = (json.loads(line) for line in done.stdout.splitlines())
    warm = during[len(during) // 10 :]
    assert len(warm) >= 15
    growth = max(each["resident_mb"] for each in warm[1:]) - warm[0]["resident_mb"]
    assert growth < growth_mb, warm
    assert len({each["threads"] for each in warm}) == 1, warm
    assert max(each["files"] for each in warm) <= warm[0]["files"] + 2, warm
    assert after["threads"] == before["threads"]
    assert after["files"] <= before["files"] + 1, "the measurement itself holds one open"
    assert len(list((tmp_path / "masks").iterdir())) == 50
    assert len(list(tmp_path.glob("frames.jsonl*"))) <= 4
