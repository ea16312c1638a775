"""The runtime is slim: no part of it needs torch, and --help needs next to nothing."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import runtime

ROOT = Path(__file__).parents[2]
HEAVY = (
    "torch", "torchvision", "albumentations", "safetensors", "matplotlib", "onnx", "onnxscript",
    "train", "export",
)  # fmt: skip
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(runtime.__path__, "runtime.")
    if module.name != "runtime.__main__"
)


def python(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_module_imports_where_training_and_export_libraries_are_blocked() -> None:
    assert "runtime.backends.onnxruntime" in MODULES
    program = f"""
import importlib, sys
for name in {HEAVY}:
    sys.modules[name] = None
for name in {MODULES}:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:  # an engine's own library may be missing, nothing else
        assert name.startswith("runtime.backends."), (name, error)
        assert error.name.split(".")[0] not in {HEAVY}, (name, error)
"""
    done = python(program)
    assert done.returncode == 0, done.stderr


def test_help_and_version_import_no_heavy_library() -> None:
    for argument in ("--help", "--version"):
        program = f"""
import sys
sys.argv = ["flood-runtime", "{argument}"]
from runtime.cli import main
try:
    main()
except SystemExit as done:
    assert not done.code, done.code
loaded = {{"cv2", "numpy", "onnxruntime", "PIL", "torch"}} & set(sys.modules)
assert not loaded, loaded
"""
        done = python(program)
        assert done.returncode == 0, done.stderr
        assert "flood-runtime" in done.stdout


SPARED = {"PIL", "rich", "ssl", "av", "pydantic", "runtime.engine"}
"""Each costs a start tens of milliseconds: pictures, progress bars, TLS, types, builders."""


@pytest.mark.parametrize(
    ("backend", "others"),
    [
        ("onnxruntime", {"openvino"}),
        ("openvino", {"onnxruntime", "openvino.tools.ovc", "openvino_telemetry"}),
    ],
)
def test_a_run_on_video_imports_nothing_that_only_others_need(
    backend: str, others: set[str], clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    pytest.importorskip(backend)
    program = f"""
import sys
sys.argv = ["flood-runtime", "--source", {str(clip)!r}, "--model", {str(tiny_model)!r},
            "--backend", "{backend}", "--log", {str(tmp_path / "frames.jsonl")!r}]
from runtime.cli import main
try:
    main()
except SystemExit as done:
    assert not done.code, done.code
loaded = {SPARED | others} & set(sys.modules)
assert not loaded, loaded
"""
    done = python(program)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="this system lists no threads")
def test_numpy_starts_no_threads_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would spin at every start and be of no use; who asks for some gets them."""
    program = """
import os, sys
sys.argv = ["flood-runtime", "--version"]
from runtime.__main__ import main
try:
    main()
except SystemExit:
    pass
import numpy
print(len(os.listdir("/proc/self/task")), os.environ["OPENBLAS_NUM_THREADS"])
"""
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    assert python(program).stdout.splitlines()[-1] == "1 1"
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    assert python(program).stdout.splitlines()[-1].endswith(" 2")
