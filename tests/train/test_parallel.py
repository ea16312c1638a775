"""Two processes train one network, as one process would."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

NETWORK = ("--width", "0.03125", "--size", "32x48", "--encoder", "none")
SAME = (*NETWORK, "--batch", "3", "--change", "least=0")
COMPARABLE = ("--precision", "fp32", "--change", "dropout=0", "--rate", "0.001")
TOLERANCE = 2e-4


def _start(*arguments: object, processes: int = 1) -> subprocess.Popen[str]:
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    command = [sys.executable, *(launcher if processes > 1 else []), "-m", "train"]
    return subprocess.Popen(
        [*command, *(str(argument) for argument in arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def test_two_processes_give_the_result_of_one(photographs: Path, tmp_path: Path) -> None:
    """Eight pictures in batches of three and two, so that the shares are unequal."""
    runs = {}
    for processes in (1, 2):
        runs[processes] = tmp_path / str(processes)
        out = ("--out", runs[processes])
        arguments = ("--data", photographs, "--epochs", 4, *SAME, *COMPARABLE, *out)
        process = _start(*arguments, processes=processes)
        said, err = process.communicate(timeout=200)
        assert process.returncode == 0, err
        assert said.count("best.safetensors") == 1, "only one process speaks"
        assert err.count("epoch 4/4") == 1
    one, two = (load_file(run / "last.safetensors") for run in runs.values())
    largest = max(float((one[name] - two[name]).abs().max()) for name in one)
    assert largest < TOLERANCE
    texts = [(run / "metrics.csv").read_text().splitlines() for run in runs.values()]
    rows = [list(csv.DictReader(lines)) for lines in texts]
    for alone, together in zip(*rows, strict=True):
        for name in ("train_loss", "val_loss", "val_iou"):
            assert float(together[name]) == pytest.approx(float(alone[name]), abs=TOLERANCE)


def test_ctrl_c_saves_and_the_run_goes_on_bit_for_bit(photographs: Path, tmp_path: Path) -> None:
    """Dropout of both processes included, in the middle of an epoch too."""
    out, whole = tmp_path / "run", tmp_path / "whole"
    arguments = ("--data", photographs, "--epochs", 30, *SAME, "--out", out)
    process = _start(*arguments, processes=2)
    while not (out / "metrics.csv").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "stopped and saved; go on with" in err
    assert "terminate called" not in err, "a thread of gloo's aborted a process that had ended"
    process = _start("--resume", "--out", out, processes=2)
    said, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert "going on after epoch" in err
    assert said.startswith(str(out / "best.safetensors"))
    process = _start(*arguments[:-1], whole, processes=2)
    _, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    for name in ("best.safetensors", "last.safetensors"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()


@pytest.mark.parametrize("code", [0, 130])
def test_a_process_of_several_ends_at_once_with_its_code(code: int) -> None:
    """Nothing of Python's own ending is run, in which gloo's threads would abort it; what was
    printed is not lost."""
    program = (
        "import atexit; from train.parallel import leave; "
        f"atexit.register(print, 'ending'); print('done'); leave({code})"
    )
    for processes, said in (("2", "done\n"), ("1", "done\nending\n")):
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "WORLD_SIZE": processes},
        )
        assert done.stdout == said
        assert done.returncode == (code if processes == "2" else 0)
