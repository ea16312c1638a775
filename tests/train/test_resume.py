"""Runs that are killed, stopped or starved of disk, as processes."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors import safe_open

from runtime.manifest_file import read_manifest
from train.state import STATE

NETWORK = ("--width", "0.03125", "--size", "32x48", "--encoder", "none")
TINY = (*NETWORK, "--batch", "2", "--change", "least=0")


EPOCHS = 12


def _start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "train", *(str(argument) for argument in arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=200)
    return process.returncode, out, err


def _wait_for_progress(state: Path, process: subprocess.Popen[str]) -> None:
    """Until the process has written a state of its own."""
    before = state.stat().st_mtime_ns if state.exists() else 0
    while not state.exists() or state.stat().st_mtime_ns == before:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.train.photographs import write_pair

    folder = tmp_path_factory.mktemp("data") / "photographs"
    for number in range(10):
        write_pair(folder, str(number), 0.2 + 0.06 * number)
    return folder


@pytest.fixture(scope="module")
def undisturbed(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    code, _, err = _end(_start("--data", pictures, "--epochs", EPOCHS, *TINY, "--out", out))
    assert code == 0, err
    return out


def _readable(run: Path) -> None:
    """Whatever a killed run has left under a checkpoint's name is one, with its manifest."""
    for path in run.glob("[!.]*.safetensors"):
        if path.name != STATE:
            read_manifest(path)


def _same(run: Path, other: Path) -> None:
    assert not list(run.glob(".*")), "what a killed process left half-written is removed"
    for name in ("best.safetensors", "last.safetensors"):
        assert (run / name).read_bytes() == (other / name).read_bytes()
        read_manifest(run / name)
    seconds = re.compile(r",[^,]*$", re.MULTILINE)
    rows = [seconds.sub("", (folder / "metrics.csv").read_text()) for folder in (run, other)]
    assert rows[0] == rows[1]
    assert not (run / STATE).exists(), "a run that has ended leaves nothing to resume"


@pytest.mark.parametrize(
    ("kill", "times"), [(signal.SIGKILL, 2), (signal.SIGTERM, 1), (signal.SIGINT, 1)]
)
def test_a_run_that_is_killed_at_a_random_step_ends_as_if_nothing_had_happened(
    pictures: Path, undisturbed: Path, tmp_path: Path, kill: signal.Signals, times: int
) -> None:
    """Bit for bit; also when it is killed again after it went on."""
    out = tmp_path / "run"
    process = _start("--data", pictures, "--epochs", EPOCHS, *TINY, "--out", out)
    for _ in range(times):
        _wait_for_progress(out / STATE, process)
        time.sleep(random.uniform(0.0, 0.3))
        process.send_signal(kill)
        code, _, err = _end(process)
        _readable(out)
        if kill == signal.SIGKILL:
            assert code == -signal.SIGKILL
            (out / ".best.a1b2c3_4.safetensors").write_bytes(b"half")
        else:
            assert code == 130
            assert f"go on with: python -m train --resume --out {out}" in err
            assert "Traceback" not in err
        process = _start("--resume", "--out", out)
    code, said, err = _end(process)
    assert code == 0, err
    assert "going on after epoch " in err
    assert said.startswith(f"{out}/best.safetensors")
    _same(out, undisturbed)


def test_a_second_run_never_overwrites_the_first(undisturbed: Path, pictures: Path) -> None:
    before = (undisturbed / "best.safetensors").read_bytes()
    code, _, err = _end(_start("--data", pictures, *TINY, "--out", undisturbed))
    assert code == 1
    assert "holds a run's results; delete it or choose another --out" in err
    assert (undisturbed / "best.safetensors").read_bytes() == before
    code, _, err = _end(_start("--resume", "--out", undisturbed))
    assert code == 1
    assert f"nothing to resume in {undisturbed}: it has no {STATE}" in err


def test_an_unfinished_run_keeps_its_settings_its_data_and_its_folder(
    pictures: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    process = _start("--data", pictures, "--epochs", EPOCHS, *TINY, "--out", out)
    _wait_for_progress(out / "best.safetensors", process)
    process.kill()
    _end(process)
    state = (out / STATE).read_bytes()
    refused = {
        ("--data", pictures, "--out", out): "holds a run that has not ended",
        ("--resume", "--out", out, "--epochs", 9): "--epochs came with --resume",
    }
    for arguments, message in refused.items():
        code, _, err = _end(_start(*arguments))
        assert (code, err.count("error: ")) == (1, 1)
        assert message in err
    (pictures / "Image" / "0.jpg").rename(pictures / "0.jpg")
    code, _, err = _end(_start("--resume", "--out", out))
    (pictures / "0.jpg").rename(pictures / "Image" / "0.jpg")
    assert code == 1
    assert "photographs has changed since the run" in err
    (out / STATE).write_bytes(state[: len(state) // 2])
    code, _, err = _end(_start("--resume", "--out", out))
    assert code == 1
    assert f"{out / STATE} is damaged" in err
    with safe_open(out / "best.safetensors", "pt") as weights:
        assert list(weights.keys())


def _on_a_full_disk(limit: int, *arguments: object) -> tuple[int, list[str]]:
    """A run whose files cannot grow beyond `limit` bytes: exit code and errors."""
    code = f"import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit},) * 2)"
    code += "; sys.argv[0] = 'train'; runpy.run_module('train', run_name='__main__')"
    process = subprocess.run(
        [sys.executable, "-c", code, *(str(argument) for argument in arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in process.stderr
    return process.returncode, [
        line for line in process.stderr.splitlines() if line.startswith("error: ")
    ]


def test_a_full_disk_is_one_line_and_the_last_checkpoint_stays_whole(
    pictures: Path, undisturbed: Path, tmp_path: Path
) -> None:
    """The limit lets the checkpoints and the state of the start pass, but not the larger one that
    the first epoch leaves; with more room the run goes on to the same end."""
    out = tmp_path / "run"
    code, errors = _on_a_full_disk(
        *(300_000, "--data", pictures, *TINY, "--epochs", EPOCHS, "--out", out)
    )
    assert (code, len(errors)) == (1, 1)
    assert f"cannot write {out / STATE}" in errors[0]
    assert errors[0].endswith(f"with: python -m train --resume --out {out}")
    _readable(out)
    assert not list(out.glob(".state*")), "nothing half-written is left"
    assert json.loads((out / "config.json").read_text())["epochs"] == EPOCHS
    code, _, err = _end(_start("--resume", "--out", out))
    assert code == 0, err
    _same(out, undisturbed)


def test_a_disk_that_is_full_from_the_start_is_told_at_once_and_nothing_is_left(
    pictures: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    code, errors = _on_a_full_disk(200_000, "--data", pictures, *TINY, "--out", out)
    assert (code, len(errors)) == (1, 1)
    assert f"cannot write {out / STATE}" in errors[0]
    assert "--resume" not in errors[0]
    assert not out.exists()
