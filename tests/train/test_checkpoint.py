from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from runtime.errors import BackendError, ManifestError, ModelError, SinkError
from runtime.manifest import Manifest
from runtime.manifest_file import manifest_path, read_manifest, write_manifest
from train.backend import PyTorchBackend
from train.checkpoint import load_checkpoint, save_checkpoint
from train.models import build_model


def _saved(folder: Path, manifest: Manifest) -> tuple[Path, Manifest, torch.nn.Module]:
    torch.manual_seed(0)
    model = build_model("vgg19unet", manifest.width).to(memory_format=torch.channels_last)
    path = folder / "best.safetensors"
    return path, save_checkpoint(model, path, manifest), model


def test_what_was_saved_is_loaded(tmp_path: Path, manifest: Manifest) -> None:
    path, sealed, model = _saved(tmp_path, manifest)
    loaded, stored = load_checkpoint(path)
    assert stored == sealed
    assert sealed.provenance.checkpoint_sha256 == sealed.artefact_sha256 != "0" * 64
    assert not loaded.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name])


def test_kernels_in_half_precision_halve_the_file_and_compute_in_float32(
    tmp_path: Path, manifest: Manifest
) -> None:
    model = build_model("vgg19unet-bn", manifest.width)
    whole, half = tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
    save_checkpoint(model, whole, manifest := dataclasses.replace(manifest, model="vgg19unet-bn"))
    save_checkpoint(model, half, manifest, half=True)
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    loaded, _ = load_checkpoint(half)
    for name, tensor in model.state_dict().items():
        read = loaded.state_dict()[name]
        assert read.dtype == tensor.dtype
        torch.testing.assert_close(read, tensor.half().float() if tensor.dim() > 1 else tensor)
    with torch.no_grad():
        model.layer1.weight.fill_(1e6)
    with pytest.raises(ModelError, match=r"'layer1\.weight' is too large for half precision"):
        save_checkpoint(model, half, manifest, half=True)
    assert load_checkpoint(half)[0].layer1.weight.max() < 1e4


def test_a_compiled_network_is_saved_under_its_own_names(
    tmp_path: Path, manifest: Manifest
) -> None:
    model = build_model("vgg19unet", manifest.width)
    save_checkpoint(torch.nn.DataParallel(model), tmp_path / "a.safetensors", manifest)
    loaded, _ = load_checkpoint(tmp_path / "a.safetensors")
    assert torch.equal(loaded.layer1.weight, model.layer1.weight)


def test_bad_checkpoints_are_named(tmp_path: Path, manifest: Manifest) -> None:
    with pytest.raises(ModelError, match=r"no such checkpoint: .*nothing\.safetensors"):
        load_checkpoint(tmp_path / "nothing.safetensors")
    text = tmp_path / "text.safetensors"
    text.write_text("no weights")
    with pytest.raises(ModelError, match=r"text\.safetensors is no checkpoint"):
        load_checkpoint(text)
    path, sealed, _ = _saved(tmp_path, manifest)
    write_manifest(dataclasses.replace(sealed, model="segformer"), path)
    with pytest.raises(ModelError, match=r"unknown network 'segformer'; .* knows: vgg19unet"):
        load_checkpoint(path)
    write_manifest(dataclasses.replace(sealed, width=0.0625), path)
    with pytest.raises(ModelError, match=r"has shape .* wanted .* another width"):
        load_checkpoint(path)
    manifest_path(path).unlink()
    with pytest.raises(ManifestError, match="has no manifest"):
        load_checkpoint(path)


def test_a_changed_checkpoint_is_refused(tmp_path: Path, manifest: Manifest) -> None:
    path, _, _ = _saved(tmp_path, manifest)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ManifestError, match="not the file its manifest describes"):
        load_checkpoint(path)


def test_the_backend_normalises_and_gives_the_networks_logits(
    tmp_path: Path, manifest: Manifest
) -> None:
    path, sealed, model = _saved(tmp_path, manifest)
    inputs = np.random.default_rng(0).integers(0, 256, (3, 32, 48, 3), np.uint8)
    scaled = (inputs / 255.0 - np.array(manifest.mean)) / np.array(manifest.std)
    with torch.no_grad():
        wanted = model.eval()(torch.tensor(scaled.transpose(0, 3, 1, 2), dtype=torch.float32))
    with PyTorchBackend(path, sealed, device="cpu") as backend:
        logits = backend.infer(inputs)
        kept = logits.copy()
        backend.infer(255 - inputs)
    assert logits.shape == (3, 1, 32, 48)
    assert logits.dtype == np.float32
    np.testing.assert_array_equal(logits, kept)
    np.testing.assert_allclose(logits, wanted.numpy(), atol=1e-5)
    with pytest.raises(BackendError, match="closed"):
        backend.infer(inputs)


def test_the_backend_refuses_another_files_manifest(tmp_path: Path, manifest: Manifest) -> None:
    path, _, _ = _saved(tmp_path, manifest)
    with pytest.raises(BackendError, match="another file's manifest"):
        PyTorchBackend(path, manifest)


def test_weights_and_manifest_change_together(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that ends between the two would leave weights that nobody can open."""
    path, before, model = _saved(tmp_path, manifest)

    def full(manifest: Manifest) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("train.checkpoint.to_json", full)
    with pytest.raises(SinkError, match="No space left on device"):
        save_checkpoint(model, path, manifest)
    assert read_manifest(path) == before
    assert not list(tmp_path.glob(".*"))
