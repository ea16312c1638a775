"""Downloads that end: ImageNet's weights from their authors' servers, or an OSError in time."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

from torch import Tensor

DOWNLOAD_TIMEOUT_S = 30.0


def vgg19_features_weights() -> dict[str, Tensor]:
    """torchvision's VGG-19 for ImageNet without its classifier, from its cache or the network.

    Raises OSError.
    """
    from torchvision.models import VGG19_Weights  # seconds to import, and seldom needed

    with patience():
        try:
            weights = VGG19_Weights.IMAGENET1K_V1.get_state_dict(progress=True, check_hash=True)
        except RuntimeError as error:  # torch.hub: the file's hash is wrong
            raise OSError(str(error)) from error
    features = [name for name in weights if name.startswith("features.")]
    return {name.removeprefix("features."): weights[name] for name in features}


@contextlib.contextmanager
def patience() -> Iterator[None]:
    """Lets a silent server end a download, not a run."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
