"""What the doctor sees of the machine: device, system, cameras, OpenCV, disk and clock.

Every function takes the root of the file system, so that tests can plant another machine's files.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import shutil
import sys
import time
from pathlib import Path

from runtime.backends.cores import usable_cores
from runtime.doctor_findings import Finding
from runtime.gpu import Gpu
from runtime.jetson import is_jetson, l4t_release
from runtime.processor import processor_name

JETPACKS = {
    "36.4.0": "6.1",
    "36.4.3": "6.2",
    "36.4.4": "6.2.1",
    "36.4.7": "6.2.1",
    "36.5": "6.2.2",
    "38.2": "7.0",
    "38.4": "7.1",
    "39.2": "7.2",
}
"""L4T release, or how it begins -> JetPack."""
LITTLE_SPACE = 1 << 30
WRITTEN_FIRST = 1_735_689_600
"""2025-01-01: a clock before that was never set (a Jetson without a battery starts in 1970)."""
UNSYNCHRONISED = 5
"""TIME_ERROR of adjtimex(2)."""


def find_device(root: Path) -> Finding:
    """What computer this is, its cores and its memory."""
    name = _read(root / "proc/device-tree/model") or _read(root / "sys/class/dmi/id/product_name")
    memory = re.search(r"MemTotal:\s*(\d+)", _read(root / "proc/meminfo"))
    facts = [
        name or "unknown computer",
        processor_name(root),
        f"{usable_cores()} cores",
    ]
    if memory:
        facts.append(f"{int(memory[1]) / (1 << 20):.1f} GiB memory")
    return Finding("device", "ok", ", ".join(facts))


def find_system(root: Path) -> Finding:
    """The system's name, its kernel and Python."""
    pretty = re.search(r'^PRETTY_NAME="?([^"\n]+)', _read(root / "etc/os-release"), re.MULTILINE)
    name = pretty[1] if pretty else platform.system()
    python = ".".join(map(str, sys.version_info[:3]))
    return Finding("system", "ok", f"{name}, {platform.release()}, Python {python}")


def find_jetpack(root: Path) -> Finding | None:
    """L4T, JetPack and power mode of a Jetson; None on other machines."""
    l4t = l4t_release(root)
    if l4t is None:
        if not is_jetson(root):
            return None
        return Finding(
            "jetpack",
            "note",
            "a Jetson without /etc/nv_tegra_release; in a container start it with "
            "-v /etc/nv_tegra_release:/etc/nv_tegra_release:ro",
        )
    known = [jetpack for start, jetpack in JETPACKS.items() if f"{l4t}.".startswith(f"{start}.")]
    text = f"L4T {l4t}, JetPack {known[-1]}" if known else f"L4T {l4t}, an unknown JetPack"
    if mode := re.search(r"pmode:(\d+)", _read(root / "var/lib/nvpmodel/status")):
        text += f", power mode {int(mode[1])}"
    return Finding("jetpack", "ok" if known else "note", text)


def find_gpu(gpu: Gpu | None) -> Finding:
    """The first GPU as the NVIDIA driver names it."""
    if gpu is None:
        return Finding("gpu", "ok", "no NVIDIA GPU or no driver for it; networks run on the CPU")
    return Finding(
        "gpu",
        "ok",
        f"{gpu.name}, compute capability {gpu.compute_capability}, {gpu.driver_text}",
    )


def find_cameras(root: Path) -> Finding:
    """USB cameras by number and name, and whether the daemon of CSI cameras runs."""
    found, closed = [], []
    for device in sorted((root / "dev").glob("video[0-9]*"), key=_number):
        about = root / "sys/class/video4linux" / device.name
        if _read(about / "index") not in ("", "0"):
            continue  # the second node of the same camera gives metadata, no pictures
        found.append(f"{_number(device)} ({_read(about / 'name') or device.name})")
        if not os.access(device, os.R_OK | os.W_OK):
            closed.append(str(device))
    if (root / "tmp/argus_socket").exists():
        found.append("csi://0 and on, through nvargus-daemon")
    if closed:
        advice = "sudo usermod -aG video $USER, then log in again"
        return Finding("cameras", "note", f"no permission to open {', '.join(closed)}: {advice}")
    if not found:
        return Finding("cameras", "note", "none found; --source takes streams and files as well")
    return Finding("cameras", "ok", ", ".join(found))


def find_opencv() -> Finding:
    """OpenCV's version, and what it can read video with."""
    import cv2

    able = {
        name: cv2.videoio_registry.hasBackend(number)
        for name, number in (("FFmpeg", cv2.CAP_FFMPEG), ("GStreamer", cv2.CAP_GSTREAMER))
    }
    text = ", ".join(f"{'with' if there else 'without'} {name}" for name, there in able.items())
    missing = [name for name, there in able.items() if not there]
    level = Finding("opencv", "ok", f"{cv2.__version__} {text}")
    if "FFmpeg" in missing:
        return Finding("opencv", "note", f"{level.text}; files and streams cannot be read")
    if "GStreamer" in missing:
        return Finding("opencv", "ok", f"{level.text} (only csi:// needs GStreamer)")
    return level


def find_disk(folder: Path) -> Finding:
    """Free space where results would be written."""
    free = shutil.disk_usage(folder).free
    text = f"{free / (1 << 30):.1f} GiB free in {folder}"
    if not os.access(folder, os.W_OK):
        return Finding("disk", "note", f"{folder} cannot be written; name outputs elsewhere")
    if free < LITTLE_SPACE:
        return Finding("disk", "note", f"only {text}; videos and masks will soon fill it")
    return Finding("disk", "ok", text)


def find_clock(now_s: float, state: int | None) -> Finding:
    """Whether timestamps can be trusted. state: of kernel_clock."""
    shown = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now_s))
    if now_s < WRITTEN_FIRST:
        return Finding("clock", "note", f"{shown} cannot be right; set it, or connect to a network")
    if state is None:
        return Finding("clock", "note", f"{shown}; whether it is synchronised is unknown here")
    if state == UNSYNCHRONISED:
        advice = "timestamps may be off; enable it with: timedatectl set-ntp true"
        return Finding("clock", "note", f"{shown}, not synchronised: {advice}")
    return Finding("clock", "ok", f"{shown}, synchronised")


def kernel_clock() -> int | None:
    """The state of the kernel's clock as adjtimex(2) returns it, None where it cannot be asked."""
    if not sys.platform.startswith("linux"):
        return None
    query = (ctypes.c_long * 64)()  # a struct timex with modes 0: change nothing
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(query))
    return state if state >= 0 else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0 \n")
    except OSError:
        return ""


def _number(device: Path) -> int:
    return int(re.sub(r"\D", "", device.name) or 0)
