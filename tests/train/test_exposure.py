from __future__ import annotations

import numpy as np
import torch

from train.exposure import BLOTCH, GRAIN, GREY, PATCH, exposed_again


def _pictures(side: int = 64) -> torch.Tensor:
    """Edges and flat land, as training lays pictures out in memory."""
    ramp = torch.linspace(-2, 2, side).expand(16, 3, side, side).clone()
    ramp[:, :, : side // 2] = 1.0
    return ramp.to(memory_format=torch.channels_last)


def test_a_second_exposure_is_the_same_picture_within_a_few_grey_levels() -> None:
    torch.manual_seed(0)
    pictures = _pictures()
    again = exposed_again(pictures)
    assert (again.shape, again.dtype) == (pictures.shape, pictures.dtype)
    assert again.is_contiguous(memory_format=torch.channels_last)
    flat = (again - pictures)[:, :, 4:28, 4:-4] / GREY  # away from edges nothing is softened
    spread = flat.std(dim=(1, 2, 3))
    assert spread.min() > 0.1 and spread.max() < GRAIN + BLOTCH
    assert spread.max() > 2 * spread.min(), "each picture has a strength of its own"
    assert not torch.equal(again[0], again[1])


def test_some_of_the_noise_comes_in_patches() -> None:
    """The mean over a patch would be an eighth of the spread if all of it were grain."""
    torch.manual_seed(0)
    flat = torch.zeros(64, 3, 64, 64)
    change = exposed_again(flat) / GREY
    of_patches = torch.nn.functional.avg_pool2d(change, PATCH).std()
    assert of_patches > 2 * change.std() / PATCH


def test_edges_are_softened() -> None:
    torch.manual_seed(0)
    edge = torch.zeros(64, 3, 16, 16)
    edge[..., 8:] = 4.0
    again = exposed_again(edge).mean((1, 2))
    steps = again[:, 8] - again[:, 7]
    assert 3.0 < steps.mean() < 3.7 and steps.max() < 4.1


def test_it_follows_from_torchs_generator_and_takes_odd_sizes() -> None:
    pictures = torch.zeros(2, 3, 35, 51)
    torch.manual_seed(5)
    once = exposed_again(pictures)
    torch.manual_seed(5)
    np.testing.assert_array_equal(once.numpy(), exposed_again(pictures).numpy())
    assert not torch.equal(once, exposed_again(pictures))
