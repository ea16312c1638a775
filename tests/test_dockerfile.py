"""Dockerfile.jetson where there is no Docker: its text, its build context, and what it installs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePath

import cv2
import pytest
from packaging.requirements import Requirement

from tests.runtime.models import write_model
from train.clips import write_clip

REPOSITORY = Path(__file__).parents[1]
INSTRUCTIONS = {
    *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL"),
    *("ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
}
DEVICES = {"jetpack-6": ("3.10", "2.35"), "jetpack-7": ("3.12", "2.39")}
"""Python and glibc of the systems."""
SPARING = {"PIP_NO_COMPILE": "1", "PIP_QUIET": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
LISTED = (
    "import importlib.metadata as m; print(*(f'{d.name}={d.version}' for d in m.distributions()))"
)


@dataclass(frozen=True)
class Instruction:
    """One instruction with its lines joined. stage: the name or number of the FROM before it."""

    name: str
    text: str
    stage: str


def read_instructions() -> list[Instruction]:
    lines = (REPOSITORY / "Dockerfile.jetson").read_text(encoding="utf-8").splitlines()
    code = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    found: list[Instruction] = []
    stage, number = "", -1
    for line in re.sub(r"\\\n\s*", "", code).splitlines():
        name, _, text = line.partition(" ")
        if name == "FROM":
            number += 1
            stage = text.partition(" AS ")[2] or str(number)
        if name:
            found.append(Instruction(name, text.strip(), stage))
    return found


def texts(name: str, stage: str | None = None) -> list[str]:
    return [
        each.text
        for each in read_instructions()
        if each.name == name and stage in (None, each.stage)
    ]


def environment_of(stage: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for text in texts("ENV", stage) for pair in text.split())


def in_context(path: PurePath) -> bool:
    """Whether Docker sends a file along, by .dockerignore: the last pattern that fits decides."""
    kept = True
    for line in (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        for each in (path, *path.parents[:-1]):
            name = each.name if pattern.startswith("**/") else str(each)
            if ("/" not in name) and fnmatch(name, pattern.removeprefix("**/")):
                kept = line.startswith("!")
    return kept


def copied() -> list[str]:
    return [source for text in texts("COPY", "build") for source in text.split()[:-1]]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the build stage makes of its context, elsewhere, and an OpenCV of the system's."""
    folder = tmp_path_factory.mktemp("jetson")
    source, target = folder / "source", folder / "flood"
    source.mkdir()
    for name in copied():
        for path in [REPOSITORY / name, *(REPOSITORY / name).rglob("*")]:
            relative = path.relative_to(REPOSITORY)
            if path.is_file() and in_context(relative):
                (source / relative).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, source / relative)
    (install,) = (text for text in texts("RUN", "build") if "pip install" in text)
    command = install.replace("/opt/flood", str(target)).replace(" --no-cache-dir", "")
    # What this machine's Python has must neither help nor harm; `system` below is all there is.
    venv = "python3 -m venv --system-site-packages"
    assert venv in command
    command = command.replace(venv, "python3 -m uv venv --quiet --seed")
    done = run(command, folder=source, **environment_of("jetpack-6"), **SPARING)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    system = folder / "dist-packages"
    system.mkdir()
    package = Path(cv2.__file__).parent
    for path in (package, *package.parent.glob("opencv_python_headless.libs")):
        (system / path.name).symlink_to(path)
    (site,) = target.glob("lib/python3*/site-packages")
    (site / "system.pth").write_text(f"{system}\n", encoding="utf-8")
    return target


def run(command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """A shell command as Docker runs it, with the Python of these tests as the system's."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PATH": path, **variables},
    )


def test_every_instruction_exists() -> None:
    assert {each.name for each in read_instructions()} <= INSTRUCTIONS


def test_the_container_is_not_root_and_is_watched() -> None:
    final = read_instructions()[-1].stage
    assert int(texts("USER", final)[-1]) > 0
    assert len(texts("HEALTHCHECK", final)) == 1
    assert texts("ENTRYPOINT", final) == ['["flood-runtime"]']


def test_jetpack_6_and_7_stand_on_their_own_images_and_tensorrt() -> None:
    assert texts("ARG", "") == ["JETPACK=6"]
    assert [text.partition(" AS ")[::2] for text in texts("FROM")] == [
        ("nvcr.io/nvidia/l4t-jetpack:r36.4.0", "jetpack-6"),
        ("ubuntu:24.04", "jetpack-7"),
        ("jetpack-${JETPACK}", "build"),
        ("jetpack-${JETPACK}", ""),
    ]
    assert texts("ARG", "jetpack-7") == ["TENSORRT=10.16.2.10-1+cuda13.2"]
    packages = " ".join(texts("RUN", "jetpack-7"))
    assert "https://repo.download.nvidia.com/jetson/common r39.2 main" in packages
    assert '"python3-libnvinfer=$TENSORRT"' in packages
    assert "pip install" not in packages + " ".join(texts("RUN", "jetpack-6"))


def test_only_what_the_wheel_is_made_of_is_sent_to_docker() -> None:
    assert all((REPOSITORY / name).exists() and in_context(PurePath(name)) for name in copied())
    assert in_context(PurePath("runtime/backends/tensorrt.py"))
    for name in (".git/HEAD", ".venv/pyvenv.cfg", "runs/real/best.safetensors", "train/model.py"):
        assert not in_context(PurePath(name)), name
    assert not in_context(PurePath("runtime/sinks/__pycache__/video.cpython-310.pyc"))


def test_all_is_installed_that_the_wheel_asks_for_but_no_opencv_and_no_torch(
    environment: Path,
) -> None:
    done = run(f'{environment}/bin/python -c "{LISTED}"', environment)
    installed = dict(pair.split("=") for pair in done.stdout.split())
    assert [name for name in installed if re.search("opencv|torch|tensorrt", name)] == []
    assert installed["numpy"].startswith("1.")
    asked = "import importlib.metadata as m; print(*m.requires('flood-runtime'), sep='\\n')"
    needed = run(f'{environment}/bin/python -c "{asked}"', environment).stdout.splitlines()
    for requirement in map(Requirement, needed):
        if requirement.marker is None and requirement.name != "opencv-python-headless":
            assert requirement.specifier.contains(installed[requirement.name]), requirement
    assert not (environment / "bin" / "pip").exists()


@pytest.mark.parametrize("stage", DEVICES)
def test_every_package_has_a_wheel_for_the_device(stage: str) -> None:
    """The same requirements, resolved for arm64 and the Python of each JetPack."""
    python, glibc = DEVICES[stage]
    bindings = environment_of(stage)["CUDA_BINDINGS"]
    (install,) = (text for text in texts("RUN", "build") if "pip install" in text)
    lines = re.findall(r"pip install --no-cache-dir (?!--no-deps)(.*?) (?=&&)", install)
    assert len(lines) == 2
    for line in lines:
        options, packages = re.fullmatch(r"(--constraint \S+ )?(.*)", line).groups()
        done = subprocess.run(
            [
                *(sys.executable, "-m", "uv", "pip", "compile", "-", "--quiet"),
                *("--python-version", python, "--only-binary", ":all:"),
                *("--python-platform", f"aarch64-manylinux_{glibc.replace('.', '_')}"),
                *(options or "").split(),
            ],
            input="\n".join(packages.replace('"', "").split()).replace("$CUDA_BINDINGS", bindings),
            capture_output=True,
            text=True,
            cwd=REPOSITORY,
        )
        assert done.returncode == 0, done.stderr


def test_it_runs_on_the_systems_opencv_and_is_healthy_while_it_writes_its_log(
    environment: Path, tmp_path: Path
) -> None:
    model, log = write_model(tmp_path / "model.onnx"), tmp_path / "frames.jsonl"
    write_clip(tmp_path / "clip.mp4", seconds=0.4, fps=10, size=(96, 128))
    (health,) = texts("HEALTHCHECK")
    words = json.loads(health.partition("CMD ")[2])

    def healthy() -> bool:
        return subprocess.run(words, env={**os.environ, "FLOOD_LOG": str(log)}).returncode == 0

    assert not healthy()
    command = f"{environment}/bin/flood-runtime --source clip.mp4 --model {model} --backend fake"
    done = run(f"{command} --log {log} --masks masks --save overlay.mp4", tmp_path)
    assert done.returncode == 0, done.stderr
    lines = log.read_text(encoding="utf-8").splitlines()
    assert ["summary" in line for line in lines] == [False] * 4 + [True]
    assert healthy()
    old_s = log.stat().st_mtime - 40
    os.utime(log, (old_s, old_s))
    assert not healthy()


@pytest.mark.parametrize(
    ("gstreamer", "tensorrt", "passes"),
    [
        (True, "", True),
        (True, "raise ImportError('libnvdla_compiler.so: cannot open shared object file')", True),
        (True, "raise ImportError('libnvinfer.so.10: cannot open shared object file')", False),
        (False, "", False),
    ],
)
def test_the_build_ends_where_opencv_or_tensorrt_is_not_the_systems(
    gstreamer: bool, tensorrt: str, passes: bool, environment: Path, tmp_path: Path
) -> None:
    registry = f"hasBackend = staticmethod(lambda number: {gstreamer})"
    (tmp_path / "cv2.py").write_text(
        f"CAP_GSTREAMER = 1800\nclass videoio_registry:\n    {registry}\n"
    )
    (tmp_path / "tensorrt.py").write_text(tensorrt)
    (check,) = (text for text in texts("RUN", read_instructions()[-1].stage) if "import" in text)
    path = f"{environment}/bin{os.pathsep}{os.environ['PATH']}"
    done = run(check, tmp_path, PYTHONPATH=str(tmp_path), PATH=path)
    assert (done.returncode == 0) is passes, done.stderr
