"""What a library frees while it loads a model leaves the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import contextlib, re, sys
from pathlib import Path
from runtime.backends.heap import lean_heap

def resident_mb():
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmRSS:\\s+(\\d+) kB", status)[1]) / 1024

b"1" * (8 << 20)  # freed: from now on glibc keeps blocks of this size
before = resident_mb()
with lean_heap() if sys.argv[1] == "lean" else contextlib.nullcontext():
    kept = []
    for _ in range(40):
        large = bytearray(4 << 20)
        large[::4096] = bytes(1024)  # now the kernel has given every page
        kept.append((large, bytearray(100_000)))
    kept = [small for _, small in kept]
    del large
print(resident_mb() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc alone can be told")
def test_large_blocks_that_are_freed_leave_the_process() -> None:
    grown = {
        how: float(
            subprocess.run(
                [sys.executable, "-c", PROGRAM, how],
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=60,
                check=True,
            ).stdout
        )
        for how in ("lean", "usual")
    }
    assert grown["lean"] < 10
    assert grown["usual"] > 100, "the test itself would not notice"
