"""The machine that is measured, and what is installed on it."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from packaging.requirements import Requirement

from runtime.backends.cores import usable_cores
from runtime.gpu import current_gpu
from runtime.processor import processor_name

LIBRARIES = ("torch", "onnxruntime", "onnxruntime-gpu", "openvino", "tensorrt", "tensorrt-rtx")
RUNTIME = "flood-runtime"


def device_name(root: Path = Path("/")) -> str:
    """Processor, instructions, cores and GPU in words, or what FLOOD_DEVICE says: results are filed
    under it."""
    if named := os.environ.get("FLOOD_DEVICE"):
        return named
    board = root / "proc/device-tree/model"
    if board.is_file():
        return board.read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    gpu = current_gpu()
    words = f"{processor_name(root)}, {usable_cores()} cores"
    return f"{words}, {gpu.name}" if gpu else words


def versions() -> dict[str, str]:
    """Library -> version of what is installed."""
    found = {}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def installed_mb(extra: str = "cpu") -> float:
    """Megabytes that the wheel and all it needs with an extra take up, from the packages' own lists
    of files."""
    seen: set[str] = set()
    return _size(RUNTIME, {extra}, seen) / 1e6


def _size(name: str, extras: set[str], seen: set[str]) -> int:
    if name.lower() in seen:
        return 0
    seen.add(name.lower())
    try:
        package = distribution(name)
    except PackageNotFoundError:
        return 0
    files = [Path(str(package.locate_file(file))) for file in package.files or ()]
    total = sum(file.stat().st_size for file in files if file.is_file())
    for text in package.requires or ():
        needed = Requirement(text)
        wanted = needed.marker is None or any(
            needed.marker.evaluate({"extra": extra}) for extra in (extras or {""})
        )
        if wanted:
            total += _size(needed.name, set(needed.extras), seen)
    return total


def load_average() -> float:
    """Processes that wanted a core in the last minute: above 0.5 before a run, timings are void."""
    return round(os.getloadavg()[0], 2)
