"""Where the encoder's weights come from: ImageNet, a file, or nowhere."""

from __future__ import annotations

import pickle
import socket
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models import VGG19_Weights

from runtime.console import say
from runtime.errors import ModelError
from train.checkpoint import load_weights, read_weights
from train.model import VGG19UNet

CHOICES = ("auto", "imagenet", "none")
DOWNLOAD_TIMEOUT_S = 30.0


def prepare_encoder(model: VGG19UNet, choice: str, he_init: bool) -> bool:
    """Gives the network its first weights; True when its encoder is pretrained.

    choice: "imagenet"; "auto" for the same where it can be had, else training from scratch, said
    in one line; "none"; or a file: safetensors or a torch.save of a state dict (read with
    weights_only), of VGG-19's features or of the whole network. he_init: weights that are not
    loaded start as He et al. (2015), as they always do from scratch. Raises ModelError.
    """
    fits = model.width == 1.0 and not model.batch_norm
    from_scratch = choice == "none" or (choice == "auto" and not fits)
    if he_init or from_scratch:
        initialise(model)
    if from_scratch:
        return False
    if not fits and choice == "imagenet":
        raise ModelError(
            f"ImageNet's weights fit vgg19unet at width 1.0 only, not {model.width:g}"
            f"{' with batch normalisation' if model.batch_norm else ''}; "
            "choose --encoder none or --width 1.0"
        )
    if choice not in CHOICES:
        _load(model, read_any_weights(Path(choice)), choice)
        return True
    try:
        weights = imagenet_weights()
    except OSError as error:
        if choice == "imagenet":
            raise ModelError(
                f"ImageNet's weights cannot be downloaded ({error}); "
                "try --encoder none, or --encoder FILE with weights that you have"
            ) from error
        say("no ImageNet weights here (download failed): the encoder is trained from scratch")
        initialise(model)
        return False
    _load(model, weights, "torchvision's VGG19")
    return True


def imagenet_weights() -> dict[str, Tensor]:
    """torchvision's VGG-19 for ImageNet, from its cache or the network. Raises OSError."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT_S)
    try:
        return dict(VGG19_Weights.IMAGENET1K_V1.get_state_dict(progress=True, check_hash=True))
    except RuntimeError as error:  # torch.hub: the file's hash is wrong
        raise OSError(str(error)) from error
    finally:
        socket.setdefaulttimeout(before)


def initialise(model: nn.Module) -> None:
    """He et al. (2015) for layers before a ReLU, so that signals keep their size through VGG's
    depth without batch norm; biases 0. The last layer keeps PyTorch's own start."""
    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    for layer in layers:
        if layer is getattr(model, "layer1", None):
            continue
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
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"{path} holds no plain weights ({str(error).splitlines()[0][:80]}); "
            "wanted safetensors or torch.save(model.state_dict(), ...)"
        ) from error
    while isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, dict) or not all(isinstance(v, Tensor) for v in loaded.values()):
        raise ModelError(f"{path} holds no state dict; save it with torch.save(model.state_dict())")
    return dict(loaded)


def _load(model: VGG19UNet, weights: dict[str, Tensor], origin: str) -> None:
    bare = {name.removeprefix("module."): tensor.float() for name, tensor in weights.items()}
    if any(name.startswith("up_sample_") for name in bare):
        load_weights(model, bare, origin)
        return
    features = {
        name.removeprefix("features."): tensor
        for name, tensor in bare.items()
        if not name.startswith("classifier.")
    }
    load_weights(model.features, features, f"{origin} (wanted VGG-19's features)")
