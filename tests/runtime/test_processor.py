from __future__ import annotations

import platform
from pathlib import Path

import pytest

from runtime.processor import computes_bf16, computes_int8, processor_name

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


@pytest.mark.parametrize(
    ("flags", "bf16", "int8"),
    [
        ("avx512f", False, False),
        ("avx512f avx512_vnni", False, True),
        ("avx512_vnni avx512_bf16", True, True),
        ("amx_bf16 amx_int8", True, True),
    ],
)
def test_what_it_computes(tmp_path: Path, flags: str, bf16: bool, int8: bool) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(CPUINFO.format(flags=flags))
    assert computes_bf16(tmp_path) is bf16
    assert computes_int8(tmp_path) is int8
    assert not computes_bf16(tmp_path / "elsewhere")


def test_an_arm_processor_has_no_model_name(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("processor\t: 0\nFeatures\t: fp asimd asimddp\n")
    assert processor_name(tmp_path) == f"{platform.machine()} with dot products"


def test_where_nothing_is_told(tmp_path: Path) -> None:
    assert processor_name(tmp_path) == platform.machine()
