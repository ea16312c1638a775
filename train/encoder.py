"""Where the encoder's weights come from: ImageNet, a file, or nowhere."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from runtime.console import say
from runtime.errors import ModelError
from train.checkpoint import load_weights, read_weights
from train.kind import Network

CHOICES = ("auto", "imagenet", "none")
SHIPS, SHIPPED = "ships", Path(__file__).with_name("ships.safetensors")
"""What --encoder calls the model that ships, and the checkpoint that this means."""
ENCODERS = ("features", "encoder")
"""What networks call the part that can start pretrained."""
CLASSIFIERS = ("classifier.", "fc.", "head.", "last_linear.")
"""What files of whole classifiers hold beside the encoder."""


def prepare_encoder(model: Network, choice: str, he_init: bool) -> bool:
    """Gives the network its first weights; True when they are pretrained.

    choice: "imagenet"; "auto" for the same where it exists and can be had, else training from
    scratch, said in one line; "none"; or a file: safetensors or a torch.save of a state dict (read
    with weights_only), of the encoder or of the whole network. he_init: what the recipe wants of
    weights that are not loaded, He et al. (2015) or PyTorch's defaults; from scratch it is always
    the former. Networks that have a start of their own keep it. Raises ModelError.
    """
    if choice not in CHOICES:
        weights = read_any_weights(Path(choice))
        _start(model, he_init)
        _load(model, weights, choice)
        return True
    if choice != "none" and (found := _find_imagenet(model, required=choice == "imagenet")):
        _start(model, he_init)
        load_weights(model.encoder, *found)
        return True
    _start(model, he_init=True)
    return False


def _find_imagenet(model: Network, *, required: bool) -> tuple[dict[str, Tensor], str] | None:
    """The encoder's weights and where they come from, or None where they are not required."""
    kind, problem = model.kind, None
    if kind.imagenet is None:
        problem = f"there are no ImageNet weights for {kind.name}; choose --encoder none"
    elif model.width != 1.0:
        problem = (
            f"ImageNet's weights fit {kind.name} at width 1.0 only, not {model.width:g}; "
            "choose --encoder none or --width 1.0"
        )
    if problem is not None:
        if required:
            raise ModelError(problem)
        return None
    try:
        return kind.imagenet(), f"ImageNet's weights for {kind.name}"
    except OSError as error:
        if required:
            raise ModelError(
                f"ImageNet's weights for {kind.name} cannot be downloaded "
                f"({str(error).splitlines()[0]}); "
                "try --encoder none, or --encoder FILE with weights that you have"
            ) from error
        say("no ImageNet weights here (download failed): the encoder is trained from scratch")
        return None


def _start(model: Network, he_init: bool) -> None:
    if model.kind.start == "he" or (model.kind.start == "recipe" and he_init):
        initialise(model)


def initialise(model: nn.Module) -> None:
    """He et al. (2015) for layers before a ReLU, so that signals keep their size through VGG's
    depth without batch norm; biases 0. The last layer keeps PyTorch's own start."""
    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    for layer in layers[:-1]:
        if isinstance(layer, nn.ConvTranspose2d):
            # Stride equals kernel: each output sees one tap, its fan-in is the input's channels.
            nn.init.normal_(layer.weight, std=(1.0 / layer.in_channels) ** 0.5)
        else:
            nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
        nn.init.zeros_(layer.bias)


def read_any_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file or a torchvision-style checkpoint. Raises ModelError."""
    if path.suffix == ".safetensors" or not path.is_file():
        return read_weights(path)
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the unpickler raises almost anything on what is no pickle
        raise ModelError(
            f"{path} holds no plain weights: it is of another kind, damaged, or holds more than "
            "tensors; wanted safetensors or torch.save(model.state_dict(), ...)"
        ) from error
    while isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, dict) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in loaded.items()
    ):
        raise ModelError(f"{path} holds no state dict; save it with torch.save(model.state_dict())")
    return dict(loaded)


def _load(model: Network, weights: dict[str, Tensor], origin: str) -> None:
    """Into the whole network if it has names of it that lie outside the encoder, else into the
    encoder."""
    bare = {name.removeprefix("module."): tensor.float() for name, tensor in weights.items()}
    if model.encoder is None:
        return load_weights(model, bare, origin)
    wanted = set(model.encoder.state_dict())
    inside = {f"{part}.{name}" for part in ENCODERS for name in wanted}
    if any(name in bare for name in set(model.state_dict()) - inside):
        return load_weights(model, bare, origin)
    encoder = {
        _name_inside(name, wanted): tensor
        for name, tensor in bare.items()
        if not name.startswith(CLASSIFIERS)
    }
    load_weights(model.encoder, encoder, f"{origin} (wanted the encoder of {model.kind.name})")


def _name_inside(name: str, wanted: set[str]) -> str:
    """A tensor's name as the encoder has it: files name it from the whole network, or from the
    layers inside the encoder."""
    names = [name, *(name.removeprefix(f"{part}.") for part in ENCODERS), f"features.{name}"]
    return next((each for each in names if each in wanted), name)
