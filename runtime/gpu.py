"""Which GPU this machine has, asked from the NVIDIA driver itself (its C library, libcuda)."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

LIBRARIES = ("libcuda.so.1", "libcuda.so", "nvcuda.dll")
INTEGRATED, MAJOR, MINOR = 18, 75, 76
"""Numbers of CUdevice_attribute in cuda.h."""


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """name: as the driver gives it. compute_capability: "8.7". driver: the newest CUDA version
    that the driver can serve, "12.6". integrated: it shares the machine's memory, as a Jetson."""

    name: str
    compute_capability: str
    driver: str
    integrated: bool


def current_gpu() -> Gpu | None:
    """The first GPU that CUDA would use, or None where there is no driver or no GPU."""
    cuda = _driver_library()
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
    )


def _attribute(cuda: ctypes.CDLL, number: int, device: ctypes.c_int) -> int:
    value = ctypes.c_int()
    cuda.cuDeviceGetAttribute(ctypes.byref(value), number, device)
    return value.value


def _driver_library() -> ctypes.CDLL | None:
    for name in LIBRARIES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None
