"""What a user can get wrong at export: each is one line, and nothing is left half-written."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from export import __main__ as main
from export import verify
from runtime import cli
from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest, write_manifest
from tests.runtime import test_full_disk
from train.checkpoint import save_checkpoint
from train.models import build_model

Command = Callable[..., tuple[int, str, str]]
small_disk: Callable[..., Iterator[Path]] = test_full_disk.small_disk


def error_of(result: tuple[int, str, str]) -> str:
    """The one error line of a command that failed."""
    code, out, err = result
    assert (code, out) == (1, "")
    (line,) = [line for line in err.splitlines() if line.startswith("error: ")]
    assert "Traceback" not in err
    return line


def test_a_full_disk(
    command: Command, checkpoint: Path, photographs: Path, small_disk: Path
) -> None:
    out = small_disk / "out"
    line = error_of(command(main.app, checkpoint, "--data", photographs, "--out", out))
    assert "cannot write" in line and "No space left on device" in line
    assert "has free space" in line
    assert list(out.iterdir()) == []


def test_a_disk_that_fills_up_while_verifying_keeps_the_artefact(
    command: Command, home: Path, photographs: Path, small_disk: Path
) -> None:
    artefact = home / "exports" / "tiny" / "model.onnx"
    moved = small_disk / "model.onnx"
    try:
        moved.symlink_to(artefact)
        (small_disk / "model.onnx.json").symlink_to(f"{artefact}.json")
        test_full_disk.fill(small_disk)
        line = error_of(command(verify.app, moved, "--data", photographs))
    finally:
        (small_disk / "filler").unlink()
    assert "No space left on device" in line
    assert {path.name for path in small_disk.iterdir()} <= {
        "model.onnx", "model.onnx.json", "model.onnx.parity",
    }  # fmt: skip


def test_a_checkpoint_of_another_width(
    command: Command, checkpoint: Path, manifest: Manifest, photographs: Path, tmp_path: Path
) -> None:
    write_manifest(dataclasses.replace(manifest, width=0.25), checkpoint)
    line = error_of(command(main.app, checkpoint, "--data", photographs, "--out", tmp_path / "x"))
    assert "was it trained with another width?" in line
    assert not (tmp_path / "x").exists()


def test_a_checkpoint_of_another_architecture(
    command: Command, manifest: Manifest, photographs: Path, tmp_path: Path
) -> None:
    path = tmp_path / "best.safetensors"
    save_checkpoint(build_model("vgg19unet-bn", manifest.width), path, manifest)
    line = error_of(command(main.app, path, "--data", photographs, "--out", tmp_path / "x"))
    assert f"{path} (its manifest says vgg19unet 0.125) lacks 22 tensors" in line
    write_manifest(dataclasses.replace(manifest, model="segformer"), path)
    line = error_of(command(main.app, path, "--data", photographs, "--out", tmp_path / "x"))
    assert "unknown network 'segformer'" in line


def test_a_truncated_checkpoint(
    command: Command, checkpoint: Path, photographs: Path, tmp_path: Path
) -> None:
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    line = error_of(command(main.app, checkpoint, "--data", photographs, "--out", tmp_path / "x"))
    assert f"{checkpoint} is no checkpoint" in line


@pytest.mark.parametrize("length", [0, 1, 1000])
def test_a_truncated_graph(command: Command, home: Path, photographs: Path, length: int) -> None:
    artefact = home / "exports" / "tiny" / "model.onnx"
    artefact.write_bytes(artefact.read_bytes()[:length])
    wanted = "is not the file its manifest describes"
    assert wanted in error_of(command(verify.app, artefact, "--data", photographs))
    assert wanted in error_of(command(cli.app, "build", artefact))


def test_a_graph_whose_inputs_are_others(command: Command, home: Path, photographs: Path) -> None:
    artefact = home / "exports" / "tiny" / "model.onnx"
    wrong = dataclasses.replace(read_manifest(artefact), input_size=(48, 48))
    write_manifest(wrong, artefact)
    line = error_of(command(verify.app, artefact, "--data", photographs))
    assert "does not fit its manifest: it takes input uint8 (1, 32, 48, 3)" in line


def test_exporting_leaves_no_temporary_files(home: Path) -> None:
    names = [path.name for path in (home / "exports" / "tiny").rglob("*")]
    assert not [name for name in names if name.startswith(".") or "tmp" in name]
