"""Which GPU this machine has, asked from the NVIDIA driver itself (its C library, libcuda)."""

from __future__ import annotations

import contextlib
import ctypes
import re
from dataclasses import dataclass
from pathlib import Path

from runtime.jetson import l4t_release

LIBRARIES = ("libcuda.so.1", "libcuda.so", "nvcuda.dll")
MANAGEMENT = ("libnvidia-ml.so.1", "nvml.dll")
INTEGRATED, MAJOR, MINOR = 18, 75, 76
"""Numbers of CUdevice_attribute in cuda.h."""


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """name: as the driver gives it. compute_capability: "8.7". driver: the newest CUDA version
    that the driver can serve, "12.6". integrated: it shares the machine's memory, as a Jetson.
    driver_version: the driver's own, "580.65.06", on a Jetson "L4T 36.4.3"; None where unknown."""

    name: str
    compute_capability: str
    driver: str
    integrated: bool
    driver_version: str | None = None

    @property
    def driver_text(self) -> str:
        """The driver as people are told of it."""
        return f"driver {self.driver_version or 'of unknown version'} for CUDA {self.driver}"


def current_gpu() -> Gpu | None:
    """The first GPU that CUDA would use, or None where there is no driver or no GPU."""
    cuda = _first_library(LIBRARIES)
    device = ctypes.c_int()
    if cuda is None or cuda.cuInit(0) != 0 or cuda.cuDeviceGet(ctypes.byref(device), 0) != 0:
        return None
    name = ctypes.create_string_buffer(256)
    driver = ctypes.c_int()
    cuda.cuDeviceGetName(name, len(name), device)
    cuda.cuDriverGetVersion(ctypes.byref(driver))
    return Gpu(
        name=name.value.decode(errors="replace"),
        compute_capability=f"{_attribute(cuda, MAJOR, device)}.{_attribute(cuda, MINOR, device)}",
        driver=f"{driver.value // 1000}.{driver.value % 1000 // 10}",
        integrated=bool(_attribute(cuda, INTEGRATED, device)),
        driver_version=driver_version(),
    )


def _attribute(cuda: ctypes.CDLL, number: int, device: ctypes.c_int) -> int:
    value = ctypes.c_int()
    cuda.cuDeviceGetAttribute(ctypes.byref(value), number, device)
    return value.value


def driver_version(root: Path = Path("/")) -> str | None:
    """The driver's own version: on a Jetson the release of L4T, which it is part of and which
    changes more often; else the kernel module's, or what NVML says where /proc does not (WSL).
    root: of the file system."""
    if (release := l4t_release(root)) is not None:
        return f"L4T {release}"
    with contextlib.suppress(OSError):
        module = (root / "proc/driver/nvidia/version").read_text(encoding="utf-8", errors="replace")
        if found := re.search(r"^NVRM version:.*?\s(\d+(?:\.\d+)+)\s", module, re.MULTILINE):
            return found[1]
    return _version_from_nvml()


def _version_from_nvml() -> str | None:
    nvml = _first_library(MANAGEMENT)
    if nvml is None or nvml.nvmlInit_v2() != 0:
        return None
    version = ctypes.create_string_buffer(96)
    failed = nvml.nvmlSystemGetDriverVersion(version, len(version))
    nvml.nvmlShutdown()
    return None if failed else version.value.decode(errors="replace")


def _first_library(names: tuple[str, ...]) -> ctypes.CDLL | None:
    for name in names:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None
