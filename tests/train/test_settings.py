from __future__ import annotations

from pathlib import Path

import pytest

from runtime.errors import DataError, ModelError
from runtime.manifest import Manifest
from train.checkpoint import save_checkpoint
from train.encoder import SHIPPED
from train.models import build_model
from train.settings import Settings, complete, read_settings, write_settings


def _complete(**changes: object) -> Settings:
    given = dict.fromkeys(("data", "pairs", "width", "size", "epochs", "batch", "rate", "patience"))
    given |= {"model": None, "recipe": None, "encoder": "auto", "seed": 1}
    return complete(**{**given, **changes})


def test_sizes_are_height_by_width() -> None:
    assert _complete(size="224").input_size == (224, 224)
    assert _complete(size="224x320").input_size == (224, 320)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("225", "size 225 is no multiple of 16; nearest: 224 or 240"),
        ("224x7", "size 7 is no multiple of 16; nearest: 16 or 32"),
        ("0", "size 0 is too small for this network; nearest: 16 or 32"),
        ("big", "neither a number nor HEIGHTxWIDTH"),
        ("1x2x3", "neither a number nor HEIGHTxWIDTH"),
        ("-16", "neither a number nor HEIGHTxWIDTH"),
    ],
)
def test_wrong_sizes_name_the_nearest_right_ones(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        _complete(size=text)


def test_what_is_left_open_follows_from_data_and_recipe() -> None:
    bare, real = _complete(), _complete(data="folder", recipe="article")
    assert (bare.data, bare.width, bare.input_size) == ("synthetic", 0.25, (80, 80))
    assert (bare.model, bare.recipe, bare.epochs) == ("vgg19unet-bn", "scenes", 16)
    assert (real.model, real.width, real.input_size) == ("vgg19unet", 1.0, (224, 224))
    assert (real.epochs, real.batch, real.rate) == (200, 16, 1e-4)
    with pytest.raises(
        ModelError, match="unknown recipe 'best'; choose from: default, scenes, distill, article"
    ):
        _complete(recipe="best")
    with pytest.raises(ModelError, match="unknown network ''"):
        _complete(model="")
    assert _complete(data="").data == "", "an empty variable of a shell is no wish for scenes"
    with pytest.raises(DataError, match="width 0 came"):
        _complete(width=0.0)


@pytest.mark.parametrize("data", [None, "folder"])
def test_what_is_left_open_is_as_in_the_checkpoint_that_is_trained_further(
    data: str | None, manifest: Manifest, tmp_path: Path
) -> None:
    earlier = tmp_path / "earlier.safetensors"
    save_checkpoint(build_model(manifest.model, manifest.width), earlier, manifest)
    further = _complete(data=data, encoder=str(earlier))
    wanted = (manifest.model, manifest.width, manifest.input_size)
    assert (further.model, further.width, further.input_size) == wanted
    assert _complete(data=data, encoder=str(earlier), size="64").input_size == (64, 64)
    assert _complete(data=data, encoder=str(earlier), model="unet").width != manifest.width


def test_the_model_that_ships_is_trained_further_by_its_name() -> None:
    further = _complete(data="folder", encoder="ships")
    assert further.encoder == str(SHIPPED)
    assert (further.model, further.width, further.input_size) == ("vgg19unet-bn", 0.25, (224, 224))


def test_settings_survive_config_json(tmp_path: Path) -> None:
    settings = _complete(data="d", pairs=Path("p.csv"), patience=3)
    write_settings(settings, tmp_path)
    assert read_settings(tmp_path) == settings
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(DataError, match=r"config\.json is damaged"):
        read_settings(tmp_path)
