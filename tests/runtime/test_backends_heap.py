"""What a library frees while it loads a model leaves the process, and what training frees stays."""

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
STEPS = """
import resource, sys
from runtime.backends.heap import keep_freed_blocks, lean_heap

with lean_heap():  # as a teacher is loaded before the steps
    pass
if sys.argv[1] == "kept":
    keep_freed_blocks()
for step in range(6):
    if step == 1:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for megabytes in (40, 90, 60):
        large = bytearray(megabytes << 20)
        large[::4096] = bytes(len(large) // 4096)
        del large
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="glibc alone can be told"
)


def _printed(program: str, how: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", program, how],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return float(done.stdout)


def test_large_blocks_that_are_freed_leave_the_process() -> None:
    grown = {how: _printed(PROGRAM, how) for how in ("lean", "usual")}
    assert grown["lean"] < 10
    assert grown["usual"] > 100, "the test itself would not notice"


def test_what_a_step_frees_the_next_one_takes_without_asking_the_kernel() -> None:
    pages = {how: _printed(STEPS, how) for how in ("kept", "usual")}
    assert pages["kept"] < 1000
    assert pages["usual"] > 50_000, "the test itself would not notice"
