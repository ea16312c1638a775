from __future__ import annotations

from pathlib import Path

import pytest

from runtime import gpu
from runtime.gpu import current_gpu, driver_version

KERNEL = "NVRM version: NVIDIA UNIX {module}  Release Build  (builder@host)  Sun Jul 27 2025\n"
COMPILER = "GCC version:  gcc version 11.4.0 (Ubuntu 11.4.0-1ubuntu1~22.04)\n"


@pytest.fixture(autouse=True)
def without_nvml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "MANAGEMENT", ("no-such-library.so",))


def plant(root: Path, name: str, text: str) -> Path:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("module", "version"),
    [
        ("x86_64 Kernel Module  580.65.06", "580.65.06"),
        ("Open Kernel Module for x86_64  570.124.06", "570.124.06"),
        ("Open Kernel Module for aarch64  540.4.0", "540.4.0"),
        ("x86_64 Kernel Module", None),
    ],
)
def test_the_driver_names_its_version(tmp_path: Path, module: str, version: str | None) -> None:
    text = KERNEL.format(module=module) + COMPILER
    assert driver_version(plant(tmp_path, "proc/driver/nvidia/version", text)) == version


def test_on_a_jetson_the_release_of_l4t_counts(tmp_path: Path) -> None:
    text = KERNEL.format(module="Open Kernel Module for aarch64  540.4.0")
    plant(tmp_path, "proc/driver/nvidia/version", text)
    plant(tmp_path, "etc/nv_tegra_release", "# R36 (release), REVISION: 4.3, GCID: 38968081")
    assert driver_version(tmp_path) == "L4T 36.4.3"
    plant(tmp_path, "etc/nv_tegra_release", "something else")
    assert driver_version(tmp_path) == "540.4.0"


def test_where_proc_does_not_say_nvml_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert driver_version(tmp_path) is None
    calls = []

    class Nvml:
        def nvmlInit_v2(self) -> int:  # noqa: N802
            calls.append("init")
            return 0

        def nvmlSystemGetDriverVersion(self, text: object, size: int) -> int:  # noqa: N802
            assert size >= 81  # NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE and a bit
            text.value = b"581.15"  # type: ignore[attr-defined]
            return 0

        def nvmlShutdown(self) -> int:  # noqa: N802
            calls.append("shutdown")
            return 0

    monkeypatch.setattr(gpu.ctypes, "CDLL", lambda name: Nvml())
    assert driver_version(tmp_path) == "581.15"
    assert calls == ["init", "shutdown"]


def test_this_machine_is_asked_without_harm() -> None:
    here = current_gpu()
    assert here is None or here.driver_version
