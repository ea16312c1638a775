"""What the doctor reads from planted files of other machines."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from pathlib import Path

import pytest

from runtime import doctor_machine
from runtime.doctor_findings import Finding
from runtime.doctor_machine import (
    find_cameras,
    find_clock,
    find_device,
    find_disk,
    find_gpu,
    find_jetpack,
    find_opencv,
    find_system,
    kernel_clock,
)
from tests.runtime.fake_cuda import ORIN

JETSON = {
    "etc/nv_tegra_release": "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, "
    "EABI: aarch64, DATE: Wed Jan  8 01:49:37 UTC 2025\n# KERNEL_VARIANT: oot\n",
    "proc/device-tree/model": "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit\0",
    "proc/meminfo": "MemTotal:        7802464 kB\nMemFree: 1 kB\n",
    "etc/os-release": 'NAME="Ubuntu"\nPRETTY_NAME="Ubuntu 22.04.5 LTS"\n',
    "var/lib/nvpmodel/status": "pmode:0002 fmode:fanNull\n",
}


def plant(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_a_jetson_is_recognised(tmp_path: Path) -> None:
    root = plant(tmp_path, JETSON)
    assert find_jetpack(root) == Finding("jetpack", "ok", "L4T 36.4.3, JetPack 6.2, power mode 2")
    device = find_device(root).text
    assert device.startswith("NVIDIA Jetson Orin Nano Engineering Reference Developer Kit, ")
    assert device.endswith(" cores, 7.4 GiB memory")
    assert find_system(root).text.startswith("Ubuntu 22.04.5 LTS, ")


@pytest.mark.parametrize(
    ("release", "revision", "level", "said"),
    [
        ("36", "4.0", "ok", "L4T 36.4.0, JetPack 6.1"),
        ("36", "5.0", "ok", "L4T 36.5.0, JetPack 6.2.2"),
        ("38", "4", "ok", "L4T 38.4, JetPack 7.1"),
        ("39", "2.0", "ok", "L4T 39.2.0, JetPack 7.2"),
        ("39", "20.0", "note", "L4T 39.20.0, an unknown JetPack"),
    ],
)
def test_l4t_is_translated_to_jetpack(
    tmp_path: Path, release: str, revision: str, level: str, said: str
) -> None:
    text = f"# R{release} (release), REVISION: {revision}, GCID: 1, BOARD: generic\n"
    found = find_jetpack(plant(tmp_path, {"etc/nv_tegra_release": text}))
    assert found is not None
    assert (found.level, found.text) == (level, said)


def test_a_container_on_a_jetson_is_told_what_to_mount(tmp_path: Path) -> None:
    root = plant(tmp_path, {"proc/device-tree/model": "NVIDIA Jetson AGX Orin\0"})
    found = find_jetpack(root)
    assert found is not None
    assert found.level == "note"
    assert "-v /etc/nv_tegra_release" in found.text


def test_other_machines_have_no_jetpack(tmp_path: Path) -> None:
    assert find_jetpack(tmp_path) is None
    assert find_device(tmp_path).text.startswith("unknown computer, ")


def test_cameras_are_listed_once_each_by_number_and_name(tmp_path: Path) -> None:
    root = plant(
        tmp_path,
        {
            **{f"dev/video{number}": "" for number in (0, 1, 2, 10)},
            "sys/class/video4linux/video0/name": "C920 HD Pro Webcam\n",
            "sys/class/video4linux/video0/index": "0\n",
            "sys/class/video4linux/video1/name": "C920 HD Pro Webcam\n",
            "sys/class/video4linux/video1/index": "1\n",
            "sys/class/video4linux/video10/name": "Thermal\n",
            "tmp/argus_socket": "",
        },
    )
    found = find_cameras(root)
    assert found.level == "ok"
    assert found.text == (
        "0 (C920 HD Pro Webcam), 2 (video2), 10 (Thermal), csi://0 and on, through nvargus-daemon"
    )


def test_a_camera_that_may_not_be_opened_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    found = find_cameras(plant(tmp_path, {"dev/video0": ""}))
    assert found.level == "note"
    assert "usermod -aG video" in found.text


def test_no_camera_is_no_failure(tmp_path: Path) -> None:
    assert find_cameras(tmp_path).level == "note"


@pytest.mark.parametrize(
    ("now_s", "state", "level", "said"),
    [
        (1_800_000_000, 0, "ok", "2027-01-15 08:00:00 UTC, synchronised"),
        (1_800_000_000, 5, "note", "not synchronised"),
        (1_800_000_000, None, "note", "unknown here"),
        (0, 0, "note", "1970-01-01 00:00:00 UTC cannot be right"),
    ],
)
def test_the_clock_is_judged(now_s: float, state: int | None, level: str, said: str) -> None:
    found = find_clock(now_s, state)
    assert found.level == level
    assert said in found.text


def test_the_kernel_is_asked_for_its_clock_and_the_clock_is_not_touched() -> None:
    before = time.time()
    state = kernel_clock()
    assert time.time() - before < 5
    assert (state in range(6)) if sys.platform.startswith("linux") else state is None


def test_a_disk_that_is_nearly_full_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_disk(tmp_path).level == "ok" or "GiB free" in find_disk(tmp_path).text
    monkeypatch.setattr(doctor_machine, "LITTLE_SPACE", 1 << 60)
    found = find_disk(tmp_path)
    assert (found.level, found.text[:5]) == ("note", "only ")


def test_opencv_says_what_it_was_built_with() -> None:
    import cv2

    text = find_opencv().text
    assert text.startswith(cv2.__version__)
    there = cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER)
    assert f"{'with' if there else 'without'} GStreamer" in text


def test_a_gpu_is_described_or_its_absence_said() -> None:
    assert find_gpu(ORIN).text == (
        "Orin, compute capability 8.7, driver of unknown version for CUDA 12.6"
    )
    known = dataclasses.replace(ORIN, driver_version="540.4.0")
    assert find_gpu(known).text.endswith("driver 540.4.0 for CUDA 12.6")
    assert "run on the CPU" in find_gpu(None).text
