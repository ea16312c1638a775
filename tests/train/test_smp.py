"""Networks of segmentation_models.pytorch; where that is missing, only what is said about it."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch

from runtime.errors import ModelError
from runtime.manifest import Manifest
from train import smp
from train.checkpoint import load_checkpoint, save_checkpoint
from train.encoder import prepare_encoder
from train.kind import encoder_layers, encoder_parameters
from train.models import build_model, find_kind

needs_smp = pytest.mark.skipif(
    importlib.util.find_spec(smp.LIBRARY) is None,
    reason=f"segmentation_models.pytorch is not installed ({smp.INSTALL})",
)
LIGHT = "smp:FPN/mobilenet_v2"


def test_a_missing_library_is_one_line_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, smp.LIBRARY, None)
    with pytest.raises(ModelError, match="pip install segmentation-models-pytorch") as raised:
        build_model("smp:UnetPlusPlus/vgg19", 1.0)
    assert "\n" not in str(raised.value)


@needs_smp
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("smp:Unet", "names no architecture with an encoder; wanted smp:ARCHITECTURE/ENCODER"),
        ("smp:/vgg19", "names no architecture with an encoder"),
        (
            "smp:unet++/vgg19",
            "unknown architecture 'unet[+][+]'; near: Unet, UPerNet; choose from: Unet,",
        ),
        ("smp:DeepLabV3plus/vgg19", "near: DeepLabV3Plus, DeepLabV3; choose"),
        ("smp:Unet/resnet35", "unknown encoder 'resnet35'; near: .*resnet34"),
        ("smp:Unet/tu-resnet19", "unknown encoder 'tu-resnet19'; near: tu-resnet"),
        ("smp:Unet/something", "unknown encoder 'something'; .* in the library's documentation"),
    ],
)
def test_unknown_names_come_with_near_ones(name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        find_kind(name)


@needs_smp
@pytest.mark.parametrize("name", ["smp:DeepLabV3Plus/vgg11", "smp:UnetPlusPlus/mit_b0"])
def test_a_pair_that_does_not_go_together_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(ModelError, match=f"{name} cannot be built .* choose another encoder") as it:
        build_model(name, 1.0)
    assert "\n" not in str(it.value)


@needs_smp
def test_only_width_one_and_multiples_of_thirty_two() -> None:
    with pytest.raises(ModelError, match=r"exists at width 1\.0 only, not 0\.5; leave --width out"):
        build_model(LIGHT, 0.5)
    kind = find_kind(LIGHT)
    assert (kind.sizes.fitting(80), kind.sizes.fitting(224), kind.scales) == (96, 224, False)


@needs_smp
@pytest.mark.parametrize("name", ["smp:Segformer/mit_b0", LIGHT, "smp:UnetPlusPlus/tu-resnet18"])
def test_logits_have_the_size_of_the_picture(name: str) -> None:
    network = build_model(name, 1.0).eval()
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 64, 96)).shape == (1, 1, 64, 96)


@needs_smp
def test_a_checkpoint_is_rebuilt_from_its_manifest_without_a_network(
    tmp_path: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    network = build_model(LIGHT, 1.0).eval()
    path = tmp_path / "best.safetensors"
    described = dataclasses.replace(manifest, model=LIGHT, width=1.0, input_size=(64, 64))
    save_checkpoint(network, path, described)
    forbid_network(monkeypatch)
    loaded, stored = load_checkpoint(path)
    assert stored.model == LIGHT
    picture = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(loaded(picture), network(picture))


@needs_smp
def test_the_encoder_can_be_frozen_alone() -> None:
    network = build_model(LIGHT, 1.0)
    (whole,) = encoder_layers(torch.nn.DataParallel(network))
    assert whole is network.encoder
    encoder = {id(parameter) for parameter in encoder_parameters(network)}
    names = {name for name, each in network.named_parameters() if id(each) in encoder}
    assert names == {name for name, _ in network.named_parameters() if name.startswith("encoder.")}
    assert len(encoder_layers(build_model("smp:Unet/vgg11", 1.0))) == 21


@needs_smp
def test_imagenet_weights_that_can_be_had_fill_the_encoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The library loads a file as it would after a download; only the download is ours."""
    torch.manual_seed(1)
    source = build_model(LIGHT, 1.0).encoder.state_dict()
    classifier = {
        "classifier.1.weight": torch.zeros(1000, 1280),
        "classifier.1.bias": torch.zeros(1000),
    }
    safetensors.torch.save_file(source | classifier, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setattr(
        "segmentation_models_pytorch.encoders.hf_hub_download",
        lambda repository, filename, revision: str(tmp_path / filename),
    )
    torch.manual_seed(2)
    network = build_model(LIGHT, 1.0)
    decoder = {name: each.clone() for name, each in network.decoder.state_dict().items()}
    assert prepare_encoder(network, "imagenet", he_init=True)
    for name, tensor in network.encoder.state_dict().items():
        assert torch.equal(tensor, source[name])
    for name, tensor in network.decoder.state_dict().items():
        assert torch.equal(tensor, decoder[name]), "the library's own start is kept"
    assert "getting ImageNet's weights" in capsys.readouterr().err


@needs_smp
def test_imagenet_weights_that_cannot_be_had_are_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    network = build_model(LIGHT, 1.0)
    forbid_network(monkeypatch)
    before = {name: each.clone() for name, each in network.state_dict().items()}
    assert not prepare_encoder(network, "auto", he_init=True)
    assert "trained from scratch" in capsys.readouterr().err
    assert all(torch.equal(before[name], each) for name, each in network.state_dict().items())
    with pytest.raises(ModelError, match=r"be downloaded \(no network\); try --encoder none"):
        prepare_encoder(network, "imagenet", he_init=True)


@needs_smp
def test_encoders_that_have_no_imagenet_weights_are_known() -> None:
    assert find_kind("smp:Unet/tu-resnet18").imagenet is not None
    name = "smp:FPN/dpn68b"
    assert find_kind(name).imagenet is None


@needs_smp
def test_a_file_of_vgg_features_fills_a_vgg_encoder(tmp_path: Path) -> None:
    network = build_model("smp:Unet/vgg11", 1.0)
    for value, prefix in enumerate(("", "features.", "encoder.features.")):
        source = {
            name.replace("features.", prefix): torch.full_like(tensor, value)
            for name, tensor in network.encoder.state_dict().items()
        }
        torch.save({**source, "classifier.0.bias": torch.zeros(3)}, tmp_path / "e.pth")
        assert prepare_encoder(network, str(tmp_path / "e.pth"), he_init=False)
        for tensor in network.encoder.state_dict().values():
            assert torch.equal(tensor, torch.full_like(tensor, value))


@needs_smp
def test_a_file_of_the_whole_network_is_trained_further(tmp_path: Path) -> None:
    torch.manual_seed(1)
    source, network = build_model(LIGHT, 1.0), build_model(LIGHT, 1.0)
    safetensors.torch.save_file(source.state_dict(), tmp_path / "w.safetensors")
    assert prepare_encoder(network, str(tmp_path / "w.safetensors"), he_init=True)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, source.state_dict()[name])
    torch.save({"layer1.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ModelError, match=f"wanted the encoder of {LIGHT}.* lacks"):
        prepare_encoder(network, str(tmp_path / "other.pth"), he_init=True)


def forbid_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the cable were out: whoever downloads gets an OSError at once."""

    def offline(*arguments: object, **options: object) -> None:
        raise OSError("no network")

    for name in ("hf_hub_download", "load_url"):
        monkeypatch.setattr(f"segmentation_models_pytorch.encoders.{name}", offline)
