"""Encoder-decoders of segmentation_models.pytorch: `smp:ARCHITECTURE/ENCODER`.

The library is an extra and is imported when a network of it is named, not before.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from functools import partial
from types import ModuleType
from typing import Any

from torch import Tensor, nn

from runtime.console import say
from runtime.errors import ModelError
from runtime.sizes import SizeRule
from train.imagenet import patience
from train.kind import Kind

PREFIX = "smp:"
LIBRARY = "segmentation_models_pytorch"
INSTALL = "pip install segmentation-models-pytorch"
FROM_TIMM = "tu-"
"""How the library marks encoders that it takes from timm."""
STRIDE = 32
"""Its encoders halve a picture five times."""


def find_kind(name: str) -> Kind:
    """What there is to know of one of these networks; nothing is built or downloaded.

    Raises ModelError for a missing library and for an unknown architecture or encoder.
    """
    library = _library(name)
    architecture, encoder = _parts(name)
    known = [each.__name__ for each in library.MODEL_ARCHITECTURES_MAPPING.values()]
    if architecture not in known:
        near = _near(architecture, known)
        raise ModelError(
            f"unknown architecture '{architecture}'; {near}choose from: {', '.join(known)}"
        )
    if encoder not in (encoders := _encoders(library, encoder)):
        near = _near(encoder, encoders) or "none is called so, "
        raise ModelError(
            f"unknown encoder '{encoder}'; {near}{len(encoders)} are in the library's documentation"
        )
    return Kind(
        name=name,
        build=lambda width: _build(name, weights=None),
        imagenet=partial(_imagenet, name) if _has_imagenet(library, encoder) else None,
        scales=False,
        start="built",
        sizes=SizeRule(multiple=STRIDE, smallest=STRIDE),
    )


def _build(name: str, weights: str | None) -> nn.Module:
    """The network; weights "imagenet" downloads its encoder's. Raises ModelError, OSError."""
    architecture, encoder = _parts(name)
    constructor = getattr(_library(name), architecture)
    try:
        with _quiet():
            return constructor(encoder_name=encoder, encoder_weights=weights)
    except OSError:
        raise
    except Exception as error:  # each architecture refuses encoders in its own way
        raise ModelError(
            f"{name} cannot be built ({str(error).splitlines()[0].rstrip('.')}); "
            "choose another encoder or another architecture"
        ) from error


def _imagenet(name: str) -> dict[str, Tensor]:
    """ImageNet's weights of a network's encoder, from the cache or the network. Raises OSError."""
    say(f"getting ImageNet's weights for {name.removeprefix(PREFIX)} ...")
    with patience():
        return dict(_build(name, weights="imagenet").encoder.state_dict())


def _library(name: str) -> ModuleType:
    try:
        with _quiet():
            return importlib.import_module(LIBRARY)
    except ImportError as error:
        raise ModelError(
            f"{name} needs segmentation_models.pytorch ({error}); {INSTALL}"
        ) from error


def _parts(name: str) -> tuple[str, str]:
    """`smp:Unet/vgg19` -> ("Unet", "vgg19")."""
    architecture, slash, encoder = name.removeprefix(PREFIX).partition("/")
    if not (architecture and slash and encoder):
        raise ModelError(
            f"'{name}' names no architecture with an encoder; wanted {PREFIX}ARCHITECTURE/ENCODER, "
            f"such as {PREFIX}UnetPlusPlus/vgg19"
        )
    return architecture, encoder


def _encoders(library: ModuleType, wanted: str) -> list[str]:
    """All names of encoders, of timm's only where one of those is wanted: there are a thousand."""
    if not wanted.startswith(FROM_TIMM):
        return list(library.encoders.get_encoder_names())
    timm: Any = importlib.import_module("timm")
    names = [*timm.list_models(), *timm.list_pretrained()]
    return [FROM_TIMM + name for name in names]


def _has_imagenet(library: ModuleType, encoder: str) -> bool:
    """Whether the library knows where ImageNet's weights for an encoder are kept."""
    if encoder.startswith(FROM_TIMM):
        timm: Any = importlib.import_module("timm")
        return bool(timm.models.is_model_pretrained(encoder.removeprefix(FROM_TIMM)))
    return "imagenet" in library.encoders.encoders[encoder]["pretrained_settings"]


def _near(wanted: str, known: Sequence[str]) -> str:
    """`near: a, b; ` or nothing."""
    spelt = {name.lower(): name for name in known}
    near = difflib.get_close_matches(wanted.lower(), spelt, n=3)
    return f"near: {', '.join(spelt[name] for name in near)}; " if near else ""


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the library's notes on its own names and on each attempt at a download to itself."""
    log = logging.getLogger("huggingface_hub")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)
