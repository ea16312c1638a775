from __future__ import annotations

import platform
from pathlib import Path

import pytest

from runtime.processor import processor_name

CPUINFO = """processor\t: 0
model name\t: Some(R) 7B13 CPU @ 2.40GHz
flags\t\t: fpu sse2 avx2 {flags}

processor\t: 1
"""


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ("", "AVX2"),
        ("avx512f avx512_vnni avx512_bf16", "AVX512-VNNI"),
        ("avx512f", "AVX512"),
        ("avx_vnni", "AVX-VNNI"),
        ("avx512f avx512_vnni amx_int8 avx_vnni", "AMX"),
    ],
)
def test_processors_of_one_name_are_told_apart(tmp_path: Path, flags: str, name: str) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(CPUINFO.format(flags=flags))
    assert processor_name(tmp_path) == f"Some 7B13 with {name}"


def test_an_arm_processor_has_no_model_name(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("processor\t: 0\nFeatures\t: fp asimd asimddp\n")
    assert processor_name(tmp_path) == f"{platform.machine()} with dot products"


def test_where_nothing_is_told(tmp_path: Path) -> None:
    assert processor_name(tmp_path) == platform.machine()
