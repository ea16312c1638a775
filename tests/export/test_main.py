from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from export import __main__ as main
from export import artefacts, verify
from export.parity import LIMITS
from runtime.certificate import read_certificate
from runtime.engine_library import load_library
from runtime.errors import DataError, ManifestError
from runtime.files import sha256
from runtime.golden import read_golden
from runtime.manifest import Manifest
from runtime.manifest_file import manifest_path, read_manifest
from runtime.model import load_model
from runtime.processing import preprocess, to_mask
from train.checkpoint import save_checkpoint
from train.models import build_model

ROOT = Path(__file__).parents[2]
Command = Callable[..., tuple[int, str, str]]


def test_one_command_gives_two_proved_artefacts_with_manifests(
    command: Command,
    checkpoint: Path,
    photographs: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = command(main.app, "--fp16", "--data", photographs)
    assert code == 0, err
    assert "runs/tiny/best.safetensors (the newest run" in err
    folder = tmp_path / "exports" / "tiny"
    trained = read_manifest(checkpoint)
    endings = ("", ".json", ".parity.json", ".golden.npz", ".parity")
    assert {path.name for path in folder.iterdir()} == {
        name + ending for name in artefacts.FILES.values() for ending in endings
    }
    for precision, name in artefacts.FILES.items():
        manifest = read_manifest(folder / name)
        assert manifest.precision == precision
        assert manifest.artefact_sha256 == sha256(folder / name)
        assert manifest.provenance.checkpoint_sha256 == trained.artefact_sha256
        assert {"torch", "onnx"} <= set(manifest.provenance.tools)
        assert (manifest.input_size, manifest.batch) == (trained.input_size, 1)
        assert (manifest.mean, manifest.trained_on) == (trained.mean, trained.trained_on)
        assert f"{name} ({precision})" in out
    counted = read_manifest(folder / "model.fp16.onnx").half_layers
    assert counted["graph"] == (62, 67)
    if load_library("tensorrt_rtx") is not None:
        assert counted["tensorrt network"][0] == 62
    assert "share of mask pixels that flip" in out
    assert str(folder.relative_to(tmp_path) / "model.fp16.onnx") in err


@pytest.mark.usefixtures("no_room_for_manifests")
def test_a_disk_that_fills_up_before_the_manifest_leaves_the_earlier_export(
    command: Command, home: Path, photographs: Path
) -> None:
    folder = home / "exports" / "tiny"
    before = {path.name: path.read_bytes() for path in folder.glob("model.onnx*") if path.is_file()}
    code, _, err = command(main.app, home / "runs/tiny/best.safetensors", "--data", photographs)
    assert code == 1
    assert "No space left on device" in err
    assert {name: (folder / name).read_bytes() for name in before} == before
    assert read_manifest(folder / "model.onnx").precision == "fp32"
    assert not list(folder.glob(".*"))


def test_another_size_and_batch_run_end_to_end(
    command: Command, checkpoint: Path, photographs: Path, tmp_path: Path
) -> None:
    arguments = ("--size", "48x80", "--batch", "dynamic", "--fp16", "--out", tmp_path / "out")
    code, _, err = command(main.app, checkpoint, *arguments, "--data", photographs)
    assert code == 0, err
    with load_model(tmp_path / "out" / "model.onnx") as model:
        assert (model.manifest.input_size, model.manifest.batch) == ((48, 80), 0)
        assert model.infer(np.zeros((3, 48, 80, 3), np.uint8)).shape == (3, 1, 48, 80)
    artefact = tmp_path / "out" / "model.fp16.onnx"
    against = ("--against", checkpoint, "--data", photographs)
    code, _, err = command(verify.app, artefact, *against)
    assert code == 0, err


def test_a_dynamic_size_is_proved_at_three_sizes_and_runs_at_any(
    command: Command, checkpoint: Path, photographs: Path, tmp_path: Path
) -> None:
    arguments = ("--dynamic-size", "--fp16", "--int8", "--max-drop", 1, "--out", tmp_path)
    code, out, err = command(main.app, checkpoint, *arguments, "--data", photographs)
    assert code == 0, err
    assert "pixels that flip at 16x80" in out
    for name in ("model.onnx", "model.fp16.onnx", "model.int8.onnx", "model.int8.tensorrt.onnx"):
        manifest = read_manifest(tmp_path / name)
        assert manifest.dynamic_size
        certificate = read_certificate(tmp_path / name, manifest)
        assert certificate is not None
        assert set(certificate.other_sizes) == {"16x80", "48x48"}
        with load_model(tmp_path / name, input_size=(64, 96)) as model:
            assert model.manifest.input_size == (64, 96)
            assert model.infer(np.zeros((1, 64, 96, 3), np.uint8)).shape == (1, 1, 64, 96)
    with pytest.raises(DataError, match="size 60 is no multiple of 16; nearest: 48 or 64"):
        load_model(tmp_path / "model.onnx", input_size=(60, 96))


def test_a_threshold_of_ones_own_is_what_the_artefact_decides_by(
    command: Command, checkpoint: Path, photographs: Path, tmp_path: Path
) -> None:
    arguments = ("--threshold", 0.8, "--data", photographs)
    code, _, err = command(main.app, checkpoint, *arguments, "--out", tmp_path / "out")
    assert code == 0, err
    artefact = tmp_path / "out" / "model.onnx"
    manifest = read_manifest(artefact)
    assert manifest.threshold == 0.8
    golden = read_golden(artefact, manifest)
    assert golden is not None
    seen = preprocess(golden.frames[0], manifest.input_size, manifest.resize)
    with load_model(artefact) as model:
        logits = model.infer(seen[np.newaxis])[0, 0]
    sure = to_mask(logits, golden.masks[0].shape, 0.8)
    np.testing.assert_array_equal(golden.masks[0], sure)
    assert sure.sum() < to_mask(logits, golden.masks[0].shape, 0.5).sum()
    code, _, err = command(verify.app, artefact, "--against", checkpoint, "--data", photographs)
    assert code == 0, err


@pytest.mark.parametrize("threshold", [0, 1, 1.5])
def test_a_threshold_that_is_no_probability_is_refused(
    command: Command, checkpoint: Path, tmp_path: Path, threshold: float
) -> None:
    arguments = ("--threshold", threshold, "--out", tmp_path / "out")
    code, _, err = command(main.app, checkpoint, *arguments)
    assert code == 2
    assert f"{threshold:g} came; wanted a probability between 0 and 1" in err
    assert not (tmp_path / "out").exists()


def test_a_graph_of_one_size_runs_at_no_other(
    command: Command, checkpoint: Path, photographs: Path, tmp_path: Path
) -> None:
    assert command(main.app, checkpoint, "--out", tmp_path, "--data", photographs)[0] == 0
    with pytest.raises(ManifestError, match=r"takes 32x48 only, not 64x96; export it anew with"):
        load_model(tmp_path / "model.onnx", input_size=(64, 96))


def test_the_same_checkpoint_gives_the_same_bytes_twice(
    checkpoint: Path, photographs: Path, tmp_path: Path
) -> None:
    written = []
    for seed in ("1", "2"):  # of Python's hashes, so that no order of a set can stand in a file
        out = tmp_path / seed
        subprocess.run(
            [sys.executable, "-m", "export", checkpoint, "--fp16", "--int8", "--max-drop", "1"]
            + ["--data", photographs, "--out", out],
            check=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
            cwd=tmp_path,
        )
        written.append({path.name: sha256(path) for path in out.glob("*.onnx")})
    assert len(written[0]) == 4
    assert written[0] == written[1]


def test_above_a_limit_it_exits_with_1_and_leaves_its_evidence(
    command: Command,
    checkpoint: Path,
    photographs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(artefacts, "LIMITS", {"fp32": {**LIMITS["fp32"], "flipped": -1e-12}})
    code, out, err = command(main.app, checkpoint, "--out", tmp_path / "out", "--data", photographs)
    assert code == 1
    (line,) = [line for line in err.splitlines() if line.startswith("error:")]
    assert "model.onnx differs from PyTorch by more than allowed" in line
    assert "the limit is -1e-12" in line
    assert "the evidence lies in" in line
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["model.onnx.failed"]
    assert out == ""


def test_a_refused_precision_ends_with_1_and_the_others_are_written(
    command: Command,
    checkpoint: Path,
    photographs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(artefacts.LIMITS, "fp16", {"flipped": -1.0})
    arguments = ("--fp16", "--int8", "--max-drop", 1, "--data", photographs, "--out", tmp_path)
    code, out, err = command(main.app, checkpoint, *arguments)
    assert code == 1
    (line,) = [line for line in err.splitlines() if line.startswith("error: ")]
    assert "model.fp16.onnx differs from PyTorch" in line and "export without --fp16" in line
    assert {path.name for path in tmp_path.glob("*.onnx")} == {
        "model.onnx", "model.int8.onnx", "model.int8.tensorrt.onnx",
    }  # fmt: skip
    assert "model.int8.onnx (int8" in out


def test_a_failed_export_leaves_the_earlier_one_whole(
    command: Command,
    checkpoint: Path,
    photographs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = (checkpoint, "--out", tmp_path / "out", "--data", photographs)
    assert command(main.app, *arguments)[0] == 0
    before = read_manifest(tmp_path / "out" / "model.onnx")
    monkeypatch.setattr(artefacts, "LIMITS", {"fp32": {"max_abs": -1.0}})
    assert command(main.app, *arguments)[0] == 1
    assert read_manifest(tmp_path / "out" / "model.onnx") == before


def test_weights_too_large_for_half_fail_before_anything_is_called_fp16(
    command: Command, network: nn.Module, manifest: Manifest, photographs: Path, tmp_path: Path
) -> None:
    weights = {name: weight.clone() for name, weight in network.state_dict().items()}
    loud = build_model(manifest.model, manifest.width)
    weights["layer3.2.weight"] *= 1e5
    loud.load_state_dict(weights)
    save_checkpoint(loud, tmp_path / "loud.safetensors", manifest)
    code, _, err = command(
        main.app, tmp_path / "loud.safetensors", "--fp16", "--data", photographs,
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert code == 1
    assert not list((tmp_path / "out").glob("*fp16*"))
    assert "error: layer layer3.2 reaches" in err or "model.onnx differs" in err


BAD_INPUT = {
    "size": (["--size", "230x64"], "error: size 230 is no multiple of 16; nearest: 224 or 240"),
    "pairs": (["--pairs", "pairs.csv"], "error: --pairs came without --data"),
    "data": (["--data", "nowhere"], "error: "),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_arguments_give_one_line(
    command: Command, checkpoint: Path, photographs: Path, tmp_path: Path, case: str
) -> None:
    arguments, wanted = BAD_INPUT[case]
    code, out, err = command(main.app, checkpoint, "--out", tmp_path / "out", *arguments)
    assert (code, out) == (1, "")
    assert re.search(re.escape(wanted), err)
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()


def test_a_batch_that_is_no_number_is_wrong_usage(command: Command, checkpoint: Path) -> None:
    code, _, err = command(main.app, checkpoint, "--batch", "many")
    assert code == 2
    assert "'many' is no batch" in err


def test_a_file_that_is_no_checkpoint(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "best.safetensors"
    path.write_bytes(b"not weights")
    code, _, err = command(main.app, path)
    assert code == 1
    assert f"{path} is no checkpoint" in err


def test_a_checkpoint_without_manifest(command: Command, checkpoint: Path) -> None:
    manifest_path(checkpoint).unlink()
    code, _, err = command(main.app, checkpoint)
    assert code == 1
    assert "has no manifest; wanted best.safetensors.json beside it" in err


def test_without_a_run_the_model_that_ships_is_exported(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = command(main.app, "--size", "48x64", "--engine", "none")
    assert code == 0
    assert "the model that ships, because no run lies in runs/; name another" in err
    exported = read_manifest(tmp_path / "exports" / "ships" / "model.onnx")
    assert (exported.input_size, exported.width) == ((48, 64), 0.25)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(
    command: Command, checkpoint: Path, photographs: Path, tmp_path: Path
) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    code, _, err = command(main.app, checkpoint, "--out", tmp_path / "locked" / "out")
    assert code == 1
    assert "cannot write" in err


def test_a_file_where_the_folder_should_be(
    command: Command, checkpoint: Path, photographs: Path, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("")
    code, _, err = command(main.app, checkpoint, "--out", tmp_path / "taken")
    assert code == 1
    assert f"cannot write {tmp_path / 'taken'}" in err


def test_the_newest_run_is_taken(
    command: Command, network: nn.Module, manifest: Manifest, photographs: Path, tmp_path: Path
) -> None:
    from export.arguments import usual_checkpoint

    for age, name in enumerate(("c", "a", "b")):
        path = tmp_path / name / "best.safetensors"
        save_checkpoint(network, path, dataclasses.replace(manifest))
        os.utime(path, (1000 - age, 1000 - age))
    assert usual_checkpoint(tmp_path) == (tmp_path / "c" / "best.safetensors", "the newest run")
