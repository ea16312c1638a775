from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from runtime.errors import SinkError
from train.run_folder import RunFolder, next_run_folder

HOLD = """
import sys
from pathlib import Path
from train.run_folder import RunFolder
folder = RunFolder(Path(sys.argv[1]))
folder.begin()
print("taken", flush=True)
sys.stdin.read()
"""


def test_two_processes_do_not_train_in_one_folder(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        assert other.stdout.readline() == "taken\n"
        with pytest.raises(SinkError, match="another process is training in"):
            RunFolder(path).begin()
        with pytest.raises(SinkError, match="another process is training in"):
            RunFolder(path).take()
        other.kill()
    RunFolder(path).begin()  # a killed process leaves the folder free


def test_a_folder_that_nobody_holds_can_be_taken_again(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.take()
    del folder
    RunFolder(tmp_path).take()


def test_a_run_goes_into_the_next_number(tmp_path: Path) -> None:
    assert next_run_folder(tmp_path) == tmp_path / "1"
    (tmp_path / "7").mkdir()
    (tmp_path / "notes").mkdir()
    assert next_run_folder(tmp_path) == tmp_path / "8"
