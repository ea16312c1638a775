from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runtime import backends, engine_library
from runtime.backends import missing_library
from runtime.engine_library import find_builder
from runtime.errors import BackendError
from runtime.jetson import is_jetson


def test_a_jetson_is_known_by_its_release_file_or_its_device_tree(tmp_path: Path) -> None:
    assert not is_jetson(tmp_path)
    tree = tmp_path / "proc" / "device-tree" / "model"
    tree.parent.mkdir(parents=True)
    tree.write_bytes(b"Raspberry Pi 5 Model B\0")
    assert not is_jetson(tmp_path)
    tree.write_bytes(b"NVIDIA Jetson Orin Nano Developer Kit\0")
    assert is_jetson(tmp_path)
    tree.unlink()
    release = tmp_path / "etc" / "nv_tegra_release"
    release.parent.mkdir()
    release.write_text("# R36 (release), REVISION: 4.0")
    assert is_jetson(tmp_path)


@pytest.mark.parametrize(
    ("library", "told"),
    [("tensorrt", "sudo apt install python3-libnvinfer"), ("cuda", "cuda-bindings==12.8.0 for")],
)
def test_a_jetson_is_never_told_to_install_tensorrt_with_pip(
    monkeypatch: pytest.MonkeyPatch, library: str, told: str
) -> None:
    assert "flood-runtime[tensorrt]" in str(missing_library("tensorrt", library, "tensorrt"))
    monkeypatch.setattr(backends, "is_jetson", lambda: True)
    line = str(missing_library("tensorrt", library, "tensorrt"))
    assert told in line and "docs/devices.md" in line
    assert "flood-runtime[" not in line
    assert "flood-runtime[cpu]" in str(missing_library("onnxruntime", "onnxruntime", "cpu"))


def test_a_jetson_without_a_builder_is_not_sent_to_the_device(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("tensorrt", "tensorrt_rtx"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(BackendError, match="build it on the device with: flood-runtime build"):
        find_builder()
    monkeypatch.setattr(engine_library, "is_jetson", lambda: True)
    with pytest.raises(BackendError, match="not installed; on a Jetson it is the system's: sudo"):
        find_builder()
