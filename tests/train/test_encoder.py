from __future__ import annotations

import urllib.error
from pathlib import Path

import pytest
import safetensors.torch
import torch

from runtime.errors import ModelError
from train import encoder
from train.encoder import prepare_encoder
from train.model import VGG19UNet

WIDTH = 0.03125


@pytest.fixture
def source() -> VGG19UNet:
    torch.manual_seed(5)
    return VGG19UNet(width=WIDTH)


@pytest.mark.parametrize("prefix", ["", "features.", "module.features."])
def test_an_encoder_file_fills_the_features(tmp_path: Path, source: VGG19UNet, prefix: str) -> None:
    state = {prefix + name: tensor.half() for name, tensor in source.features.state_dict().items()}
    safetensors.torch.save_file(state, tmp_path / "e.safetensors")
    torch.save({"state_dict": {**state, "classifier.0.bias": torch.zeros(3)}}, tmp_path / "e.pth")
    for file in ("e.safetensors", "e.pth"):
        model = VGG19UNet(width=WIDTH)
        assert prepare_encoder(model, str(tmp_path / file), he_init=True)
        torch.testing.assert_close(
            model.features[0].weight, source.features[0].weight.half().float()
        )


def test_weights_of_the_published_code_fill_the_whole_network(
    tmp_path: Path, source: VGG19UNet
) -> None:
    torch.save(source.state_dict(), tmp_path / "published.pt")
    model = VGG19UNet(width=WIDTH)
    assert prepare_encoder(model, str(tmp_path / "published.pt"), he_init=True)
    for name, tensor in source.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name])


def test_a_wrong_file_says_what_is_wrong(tmp_path: Path) -> None:
    model = VGG19UNet(width=WIDTH)
    with pytest.raises(ModelError, match="no such checkpoint"):
        prepare_encoder(model, str(tmp_path / "no.pth"), he_init=True)
    (tmp_path / "text.pth").write_text("hello")
    with pytest.raises(ModelError, match="holds no plain weights"):
        prepare_encoder(model, str(tmp_path / "text.pth"), he_init=True)
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(ModelError, match="holds no state dict"):
        prepare_encoder(model, str(tmp_path / "list.pth"), he_init=True)
    torch.save({"0.weight": torch.zeros(1)}, tmp_path / "part.pth")
    with pytest.raises(ModelError, match="lacks 31 tensors"):
        prepare_encoder(model, str(tmp_path / "part.pth"), he_init=True)


def test_a_pickle_with_code_is_never_run(tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "harm",)

    torch.save({"0.weight": Harmful()}, tmp_path / "harmful.pth")
    with pytest.raises(ModelError, match="holds no plain weights"):
        prepare_encoder(VGG19UNet(width=WIDTH), str(tmp_path / "harmful.pth"), he_init=True)
    assert not (tmp_path / "harm").exists()


def test_auto_without_network_trains_from_scratch_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], source: VGG19UNet
) -> None:
    def offline() -> None:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(encoder, "imagenet_weights", offline)
    source.width = 1.0
    assert not prepare_encoder(source, "auto", he_init=True)
    assert "trained from scratch" in capsys.readouterr().err
    with pytest.raises(ModelError, match="cannot be downloaded"):
        prepare_encoder(source, "imagenet", he_init=True)


def test_imagenet_fits_width_one_only(source: VGG19UNet) -> None:
    with pytest.raises(ModelError, match=r"fit vgg19unet at width 1\.0 only, not 0\.03125"):
        prepare_encoder(source, "imagenet", he_init=True)
