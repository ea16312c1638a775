from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import device
from benchmarks.device import device_name

CPUINFO = """processor\t: 0
model name\t: AMD EPYC 7B13 Processor
flags\t\t: fpu sse2 avx2 {flags}

processor\t: 1
"""


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("FLOOD_DEVICE", raising=False)
    monkeypatch.setattr(device, "current_gpu", lambda: None)
    monkeypatch.setattr(device, "usable_cores", lambda: 2)
    (tmp_path / "proc").mkdir()
    return tmp_path


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
def test_processors_of_one_name_are_told_apart(machine: Path, flags: str, name: str) -> None:
    (machine / "proc/cpuinfo").write_text(CPUINFO.format(flags=flags))
    assert device_name(machine) == f"AMD EPYC 7B13 with {name}, 2 cores"


def test_an_arm_processor_has_no_model_name(machine: Path) -> None:
    (machine / "proc/cpuinfo").write_text("processor\t: 0\nFeatures\t: fp asimd asimddp\n")
    assert device_name(machine) == "processor with dot products, 2 cores"


def test_a_board_says_what_it_is(machine: Path) -> None:
    (machine / "proc/device-tree").mkdir()
    (machine / "proc/device-tree/model").write_bytes(b"NVIDIA Jetson Orin Nano\0")
    assert device_name(machine) == "NVIDIA Jetson Orin Nano"


def test_the_user_has_the_last_word(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOOD_DEVICE", "bench 3")
    assert device_name(machine) == "bench 3"
