from __future__ import annotations

import pickle
import urllib.error
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn
from torchvision.models import VGG19_Weights

from runtime.errors import ModelError
from runtime.files import sha256
from runtime.manifest_file import read_manifest
from runtime.shipped import FOLDER
from train.checkpoint import load_checkpoint
from train.encoder import SHIPPED, prepare_encoder
from train.kind import encoder_layers, encoder_parameters
from train.models import KINDS, build_model

WIDTH = 0.03125


@pytest.fixture
def source() -> nn.Module:
    torch.manual_seed(5)
    return build_model("vgg19unet", WIDTH)


@pytest.mark.parametrize("prefix", ["", "features.", "module.features."])
def test_an_encoder_file_fills_the_features(tmp_path: Path, source: nn.Module, prefix: str) -> None:
    state = {prefix + name: tensor.half() for name, tensor in source.features.state_dict().items()}
    safetensors.torch.save_file(state, tmp_path / "e.safetensors")
    torch.save({"state_dict": {**state, "classifier.0.bias": torch.zeros(3)}}, tmp_path / "e.pth")
    for file in ("e.safetensors", "e.pth"):
        model = build_model("vgg19unet", WIDTH)
        assert prepare_encoder(model, str(tmp_path / file), he_init=True)
        torch.testing.assert_close(
            model.features[0].weight, source.features[0].weight.half().float()
        )


def test_weights_of_the_published_code_fill_the_whole_network(
    tmp_path: Path, source: nn.Module
) -> None:
    torch.save(source.state_dict(), tmp_path / "published.pt")
    model = build_model("vgg19unet", WIDTH)
    assert prepare_encoder(model, str(tmp_path / "published.pt"), he_init=True)
    for name, tensor in source.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name])


def test_what_ships_was_exported_from_the_checkpoint_that_ships() -> None:
    trained = read_manifest(SHIPPED)
    network, _ = load_checkpoint(SHIPPED)
    assert (trained.model, network.width) == ("vgg19unet-bn", 0.25)
    graphs = sorted(FOLDER.glob("*.onnx"))
    assert len(graphs) == 3
    for graph in graphs:
        exported = read_manifest(graph)
        assert exported.provenance.checkpoint_sha256 == sha256(SHIPPED), graph.name
        assert exported.trained_on == trained.trained_on


def test_a_wrong_file_says_what_is_wrong(tmp_path: Path) -> None:
    model = build_model("vgg19unet", WIDTH)
    with pytest.raises(ModelError, match="no such checkpoint"):
        prepare_encoder(model, str(tmp_path / "no.pth"), he_init=True)
    (tmp_path / "text.pth").write_text("hello")
    with pytest.raises(ModelError, match="holds no plain weights"):
        prepare_encoder(model, str(tmp_path / "text.pth"), he_init=True)
    for name, content in {
        "README.md": b"# Flood\n\nA page.\n",
        "empty": b"",
        "noise.bin": np.random.default_rng(0).bytes(3000),
        "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(60),
        "config.json": b'{"a": 1}',
        "table.csv": b"Image,Mask\n1.jpg,1.png\n",
        "plain.pkl": pickle.dumps({"a": 1}),
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(
            ModelError, match=rf"{name} holds no (plain weights|state dict)"
        ) as told:
            prepare_encoder(model, str(tmp_path / name), he_init=True)
        assert "\n" not in str(told.value)
    torch.save({1: torch.zeros(2)}, tmp_path / "numbers.pt")
    with pytest.raises(ModelError, match="holds no state dict"):
        prepare_encoder(model, str(tmp_path / "numbers.pt"), he_init=True)
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(ModelError, match="holds no state dict"):
        prepare_encoder(model, str(tmp_path / "list.pth"), he_init=True)
    torch.save({"0.weight": torch.zeros(1)}, tmp_path / "part.pth")
    with pytest.raises(ModelError, match="lacks 31 tensors"):
        prepare_encoder(model, str(tmp_path / "part.pth"), he_init=True)


def test_a_pickle_with_code_is_never_run(tmp_path: Path, source: nn.Module) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "harm",)

    torch.save({"0.weight": Harmful()}, tmp_path / "harmful.pth")
    with pytest.raises(ModelError, match="holds no plain weights"):
        prepare_encoder(
            build_model("vgg19unet", WIDTH), str(tmp_path / "harmful.pth"), he_init=True
        )
    assert not (tmp_path / "harm").exists()


def test_auto_without_network_trains_from_scratch_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], source: nn.Module
) -> None:
    def offline(self: object, **options: object) -> None:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(VGG19_Weights, "get_state_dict", offline)
    source.width = 1.0
    assert not prepare_encoder(source, "auto", he_init=True)
    assert "trained from scratch" in capsys.readouterr().err
    with pytest.raises(ModelError, match=r"for vgg19unet cannot be downloaded .*no network"):
        prepare_encoder(source, "imagenet", he_init=True)


def test_imagenet_fits_width_one_only(source: nn.Module) -> None:
    with pytest.raises(ModelError, match=r"fit vgg19unet at width 1\.0 only, not 0\.03125"):
        prepare_encoder(source, "imagenet", he_init=True)
    with pytest.raises(ModelError, match="no ImageNet weights for vgg19unet-bn; choose --encoder"):
        prepare_encoder(build_model("vgg19unet-bn", 1.0), "imagenet", he_init=True)


def test_what_torchvision_has_fills_the_features(
    monkeypatch: pytest.MonkeyPatch, source: nn.Module
) -> None:
    """torchvision names a whole classifier's tensors; only the download is replaced."""
    whole = {f"features.{name}": each for name, each in source.features.state_dict().items()}
    whole["classifier.0.bias"] = torch.zeros(3)
    monkeypatch.setattr(VGG19_Weights, "get_state_dict", lambda self, progress, check_hash: whole)
    model = build_model("vgg19unet", WIDTH)
    model.width = 1.0
    assert prepare_encoder(model, "imagenet", he_init=False)
    for name, tensor in source.features.state_dict().items():
        assert torch.equal(tensor, model.features.state_dict()[name])


def test_the_encoders_layers_are_found_under_a_wrapper(source: nn.Module) -> None:
    layers = encoder_layers(nn.DataParallel(source))
    assert layers == list(source.features)
    assert len(list(encoder_parameters(source))) == 32


@pytest.mark.parametrize("name", KINDS)
def test_every_network_of_the_table_is_what_it_promises(name: str) -> None:
    model, kind = build_model(name, WIDTH).eval(), KINDS[name]
    assert (kind.name, model.kind, model.width) == (name, kind, WIDTH)
    side = kind.sizes.smallest
    with torch.no_grad():
        assert model(torch.zeros(1, 3, side, side + kind.sizes.multiple)).shape == (
            *(1, 1, side),
            side + kind.sizes.multiple,
        )
