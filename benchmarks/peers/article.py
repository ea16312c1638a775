"""PyTorch as the article uses it: a picture at a time, albumentations in front, eager FP32."""

from __future__ import annotations

from pathlib import Path

import albumentations as A
import numpy as np
import torch
from albumentations.pytorch import ToTensorV2
from numpy.typing import NDArray

from train.checkpoint import load_checkpoint


class ArticleLoop:
    """A frame, (H, W, 3) uint8 BGR, to its mask, (h, w) bool at network size."""

    def __init__(self, checkpoint: Path, input_size: tuple[int, int]) -> None:
        self._network, manifest = load_checkpoint(checkpoint)
        height, width = input_size
        self._transform = A.Compose(
            [A.Resize(height, width), A.Normalize(manifest.mean, manifest.std), ToTensorV2()]
        )

    def look(self, frame: NDArray[np.uint8]) -> NDArray[np.bool_]:
        pictures = self._transform(image=frame[..., ::-1])["image"].unsqueeze(0)
        with torch.no_grad():
            logits = self._network(pictures)
        mask: NDArray[np.bool_] = torch.sigmoid(logits)[0, 0].numpy() > 0.5
        return mask
