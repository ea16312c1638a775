from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import device
from benchmarks.device import device_name


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("FLOOD_DEVICE", raising=False)
    monkeypatch.setattr(device, "current_gpu", lambda: None)
    monkeypatch.setattr(device, "usable_cores", lambda: 2)
    (tmp_path / "proc").mkdir()
    return tmp_path


def test_results_are_filed_under_processor_and_cores(machine: Path) -> None:
    text = "model name\t: AMD EPYC Processor\nflags\t\t: avx2 avx512_vnni\n"
    (machine / "proc/cpuinfo").write_text(text)
    assert device_name(machine) == "AMD EPYC with AVX512-VNNI, 2 cores"


def test_a_board_says_what_it_is(machine: Path) -> None:
    (machine / "proc/device-tree").mkdir()
    (machine / "proc/device-tree/model").write_bytes(b"NVIDIA Jetson Orin Nano\0")
    assert device_name(machine) == "NVIDIA Jetson Orin Nano"


def test_the_user_has_the_last_word(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOOD_DEVICE", "bench 3")
    assert device_name(machine) == "bench 3"
