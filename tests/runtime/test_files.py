"""Files are whole or not there, and failing to write is one clear sentence."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.errors import SinkError
from runtime.files import (
    atomic_path,
    atomic_paths,
    make_folder,
    remove_orphans,
    sha256,
    write_bytes,
    write_text,
)


def test_sha256_is_that_of_the_content(tmp_path: Path) -> None:
    content = os.urandom((1 << 20) + 17)
    (tmp_path / "file").write_bytes(content)
    assert sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_a_write_makes_folders_and_leaves_nothing_else_behind(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "file.txt"
    write_text(path, "grün\n")
    assert path.read_text(encoding="utf-8") == "grün\n"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_keeps_the_old_file_and_removes_the_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    write_bytes(path, b"old")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_bytes(b"half of the n")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("durable", [True, False])
def test_the_temporary_file_has_the_suffix_and_the_result_ordinary_rights(
    tmp_path: Path, durable: bool
) -> None:
    previous = os.umask(0o022)
    try:
        with atomic_path(tmp_path / "model.onnx", durable=durable) as temporary:
            assert temporary.suffix == ".onnx"
            assert temporary.parent == tmp_path
            temporary.write_bytes(b"x")
    finally:
        os.umask(previous)
    assert (tmp_path / "model.onnx").stat().st_mode & 0o777 == 0o644


def test_a_path_below_a_file_cannot_be_written_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    wanted = r"cannot write .*file.* \(.+\); choose a folder that you may write to"
    with pytest.raises(SinkError, match=wanted):
        write_text(tmp_path / "file" / "below.txt", "text")
    with pytest.raises(SinkError, match=wanted):
        make_folder(tmp_path / "file")


def test_a_folder_in_the_file_s_place_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(SinkError, match=r"cannot write .*taken"):
        write_bytes(tmp_path / "taken", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="/proc is the read-only file system")
def test_a_read_only_place_cannot_be_written() -> None:
    with pytest.raises(SinkError, match=r"cannot write /proc/flood.txt"):
        write_text(Path("/proc/flood.txt"), "text")


def test_files_that_belong_together_are_all_old_or_all_new(tmp_path: Path) -> None:
    paths = (tmp_path / "model.onnx", tmp_path / "model.onnx.json")
    for path in paths:
        write_bytes(path, b"old")
    with pytest.raises(RuntimeError), atomic_paths(*paths) as (first, _):
        first.write_bytes(b"new")
        raise RuntimeError
    assert [path.read_bytes() for path in paths] == [b"old", b"old"]
    with atomic_paths(*paths) as temporaries:
        for temporary in temporaries:
            temporary.write_bytes(b"new")
        assert [path.read_bytes() for path in paths] == [b"old", b"old"]
    assert [path.read_bytes() for path in paths] == [b"new", b"new"]
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def test_what_a_killed_process_left_half_written_is_removed_and_nothing_else(
    tmp_path: Path,
) -> None:
    path = tmp_path / "best.safetensors"
    write_bytes(path, b"whole")
    killed = "import os, sys; from pathlib import Path; from runtime.files import atomic_path\n"
    killed += "with atomic_path(Path(sys.argv[1])) as temporary:\n"
    killed += "    temporary.write_bytes(b'half'); os.kill(os.getpid(), 9)\n"
    subprocess.run([sys.executable, "-c", killed, str(path)], check=False)
    (orphan,) = tmp_path.glob(".*")
    kept = [path, tmp_path / ".best.notes.safetensors", tmp_path / ".other.abcd1234.safetensors"]
    for each in kept[1:]:
        each.write_bytes(b"mine")
    remove_orphans([path, tmp_path / "best.safetensors.json"])
    assert not orphan.exists()
    assert sorted(tmp_path.iterdir()) == sorted(kept)
