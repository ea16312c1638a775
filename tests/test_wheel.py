"""The wheel on a device: a clean environment without torch runs the runtime and its tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from runtime.sources.connection import FFMPEG_OPTIONS
from tests.runtime.models import write_model
from train.clips import write_clip

REPOSITORY = Path(__file__).parents[1]
DEVICE_PYTHONS = ("3.10", "3.12")
"""JetPack 6 and JetPack 7; where neither is installed, the Python that runs the tests."""
ABSENT = (
    "av",
    "torch",
    "torchvision",
    "albumentations",
    "safetensors",
    "matplotlib",
    "train",
    "export",
)
MAX_INSTALLED_MB = 350


@dataclass(frozen=True)
class Device:
    """A clean virtual environment that holds the wheel with [cpu] and nothing else."""

    python: Path
    installed_mb: float


def uv(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "uv", *arguments], capture_output=True, text=True, cwd=REPOSITORY
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def available_pythons() -> list[str]:
    found = []
    for version in DEVICE_PYTHONS:
        search = [sys.executable, "-m", "uv", "python", "find", "--no-python-downloads", version]
        if subprocess.run(search, capture_output=True, cwd="/").returncode == 0:
            found.append(version)
    return found or [sys.executable]


PATIENT = ("test_fuzz", "test_soak", "test_sources_http", "test_streams")
"""Modules that take minutes and import nothing that the others do not."""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    uv("build", "--quiet", "--wheel", "--out-dir", str(folder), str(REPOSITORY))
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="session", params=available_pythons())
def device(
    request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Device:
    folder = tmp_path_factory.mktemp("device") / "venv"
    uv("venv", "--quiet", "--no-python-downloads", "--python", request.param, str(folder))
    python = folder / "bin" / "python"
    constraints = ("--constraint", str(REPOSITORY / "constraints.txt"))
    uv("pip", "install", "--quiet", "--python", str(python), *constraints, f"{wheel}[cpu]")
    size = sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_symlink())
    return Device(python, size / 1e6)


def test_the_wheel_holds_only_the_runtime(wheel: Path) -> None:
    names = subprocess.run(
        [sys.executable, "-m", "zipfile", "--list", str(wheel)], capture_output=True, text=True
    ).stdout.splitlines()[1:]
    folders = {name.split("/")[0] for name in names}
    assert {folder.split("-")[0] for folder in folders} == {"runtime", "flood_runtime"}


def test_flood_runtime_works_where_torch_is_absent(device: Device, tmp_path: Path) -> None:
    model, clip = write_model(tmp_path / "model.onnx"), tmp_path / "clip.mp4"
    true = write_clip(clip, seconds=0.4, fps=10, size=(96, 128))
    command = [
        str(device.python.parent / "flood-runtime"),
        *("--source", str(clip), "--model", str(model)),
        *("--masks", str(tmp_path / "masks"), "--log", str(tmp_path / "frames.jsonl")),
        *("--save", str(tmp_path / "overlay.mp4")),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "frames.jsonl").read_text().splitlines()]
    assert len(rows) == len(true) + 1 == 5
    assert rows[-1]["summary"]["processed"] == 4
    assert len(list((tmp_path / "masks").glob("*.png"))) == 4
    assert (tmp_path / "overlay.mp4").stat().st_size > 0

    shipped = [command[0], "--source", str(clip), "--json"]
    done = subprocess.run(shipped, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["frames"]["processed"] == 4
    assert Path(summary["model"]).name == "model.int8.onnx"

    probe = "import importlib.util as u, sys; print([m for m in sys.argv[1:] if u.find_spec(m)])"
    found = subprocess.run(
        [str(device.python), "-c", probe, *ABSENT], capture_output=True, text=True, cwd=tmp_path
    )
    assert found.stdout.strip() == "[]", found
    assert device.installed_mb < MAX_INSTALLED_MB, f"{device.installed_mb:.0f} MB installed"
    print(f"installed with ONNX Runtime: {device.installed_mb:.0f} MB")


@pytest.mark.timeout(900)
def test_the_tests_of_the_runtime_pass_where_torch_is_absent(
    device: Device, tmp_path: Path
) -> None:
    constraints = ("--constraint", str(REPOSITORY / "constraints.txt"))
    options = ("--quiet", "--compile-bytecode", "--python", str(device.python), *constraints)
    uv("pip", "install", *options, "av", "pytest", "pytest-timeout", "hypothesis", "onnx")
    shutil.copytree(REPOSITORY / "tests" / "runtime", tmp_path / "tests" / "runtime")
    shutil.copytree(REPOSITORY / "docs", tmp_path / "docs")
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    command = [str(device.python), "-m", "pytest", "-q", "-x", "-m", "not slow", "tests/runtime"]
    command += [f"--ignore=tests/runtime/{name}.py" for name in PATIENT]
    # What earlier tests of this process asked of FFmpeg would count as the user's own wish.
    clean = {name: value for name, value in os.environ.items() if name != FFMPEG_OPTIONS}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=clean)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
