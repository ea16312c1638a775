"""The training loop as the article publishes it, to compare speed with.

Every picture is read and decoded anew in each epoch, in the loop's own process; float32, on a GPU
where there is one; memory in PyTorch's default order. The published code sets requires_grad on
modules, which freezes nothing: autograd's graph goes through the whole encoder, and Adam moves all
of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from train.augment import training_transform
from train.compute import find_compute
from train.recipe import RECIPES


class Photographs(Dataset[tuple[Tensor, Tensor]]):
    """Image/ and Mask/ of a folder, read when asked for."""

    def __init__(self, folder: Path, input_size: tuple[int, int]) -> None:
        self._images = sorted((folder / "Image").iterdir())
        self._masks = sorted((folder / "Mask").iterdir())
        self._transform = training_transform(RECIPES["article"], input_size)

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        with Image.open(self._images[index]) as image, Image.open(self._masks[index]) as mask:
            made = self._transform(
                image=np.array(image.convert("RGB")), mask=np.array(mask.convert("L"))
            )
        image = torch.from_numpy(made["image"]).permute(2, 0, 1)
        return image, torch.from_numpy(made["mask"] > 127).float().unsqueeze(0)


def article_steps(
    model: nn.Module, folder: Path, input_size: tuple[int, int], batch: int
) -> Iterator[float]:
    """Endless optimiser steps in the published order; each gives its loss."""
    device = find_compute().device
    model.to(device)
    loader = DataLoader(Photographs(folder, input_size), batch_size=batch, shuffle=True)
    for module in model.get_submodule("features"):
        module.requires_grad = False  # as published: an attribute that nobody reads
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-4)
    criterion = nn.BCEWithLogitsLoss()
    model.train()
    while True:
        for images, masks in loader:
            optimiser.zero_grad()
            loss = criterion(model(images.to(device)), masks.to(device))
            loss.backward()
            optimiser.step()
            yield loss.item()
