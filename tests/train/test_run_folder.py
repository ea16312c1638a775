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


def test_a_run_that_begins_or_goes_on_removes_what_a_killed_one_left_half_written(
    tmp_path: Path,
) -> None:
    left = ("best.safetensors", "best.safetensors.json", "state.safetensors", "metrics.csv")
    for name in left:
        path = tmp_path / name
        (tmp_path / f".{path.stem}.a1b2c3_4{path.suffix}").write_bytes(b"half")
    (tmp_path / ".notes.txt").write_text("mine")
    RunFolder(tmp_path).take()
    assert [path.name for path in tmp_path.iterdir()] == [".notes.txt"]


def test_a_run_that_could_not_begin_leaves_no_folder_but_what_was_there(tmp_path: Path) -> None:
    for folder, others in ((tmp_path / "new", ()), (tmp_path / "old", ("notes.txt",))):
        for name in others:
            folder.mkdir()
            (folder / name).write_text("mine")
        run = RunFolder(folder)
        run.begin()
        run.config.write_text("{}")
        run.abandon()
        assert [path.name for path in folder.glob("*")] == list(others)
        assert folder.exists() == bool(others)


def test_a_run_goes_into_the_next_number(tmp_path: Path) -> None:
    assert next_run_folder(tmp_path) == tmp_path / "1"
    (tmp_path / "7").mkdir()
    (tmp_path / "notes").mkdir()
    assert next_run_folder(tmp_path) == tmp_path / "8"


def test_the_command_that_goes_on_can_be_pasted_whatever_the_folder_is_called() -> None:
    assert RunFolder(Path("runs/3")).going_on == "python -m train --resume --out runs/3"
    assert RunFolder(Path("my runs/3")).going_on.endswith("--out 'my runs/3'")
