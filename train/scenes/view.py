"""Where a pixel looks and where a point of the world lands: the camera and the noise of a scene.

World axes: x right, y forward, z up, in metres; the camera stands at (0, 0, height).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np

TILE = 256


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A pinhole camera: height in metres, pitch (down) and roll in radians, focal length.

    The focal length is in units of the picture's mean side, so that one description fits any size.
    """

    height: float
    pitch: float
    roll: float
    focal: float

    def focal_px(self, size: tuple[int, int]) -> float:
        """Focal length in pixels of a picture of `size` (height, width)."""
        return self.focal * float(np.sqrt(size[0] * size[1]))

    def rays(self, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Unit directions (x, y, z) of every pixel, three (h, w) float32 arrays."""
        height, width = size
        focal = self.focal_px(size)
        across = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / focal
        down = (np.arange(height, dtype=np.float32)[:, None] + 0.5 - height / 2) / focal
        cos, sin = np.float32(np.cos(self.roll)), np.float32(np.sin(self.roll))
        u, v = cos * across + sin * down, cos * down - sin * across
        norm = 1 / np.sqrt(1 + u * u + v * v)
        cos, sin = np.float32(np.cos(self.pitch)), np.float32(np.sin(self.pitch))
        return u * norm, (cos - v * sin) * norm, (-sin - v * cos) * norm

    def project(self, points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Pixel positions (..., 2) float32 of world points (..., 3); NaN behind the camera."""
        x, y, z = points[..., 0], points[..., 1], points[..., 2] - self.height
        cos, sin = np.cos(self.pitch), np.sin(self.pitch)
        ahead = y * cos - z * sin
        ahead = np.where(ahead < 0.4, np.nan, ahead)
        u, v = x / ahead, -(y * sin + z * cos) / ahead
        cos, sin = np.cos(self.roll), np.sin(self.roll)
        turned = np.stack([cos * u - sin * v, sin * u + cos * v], axis=-1)
        centre = (size[1] / 2 - 0.5, size[0] / 2 - 0.5)
        return (turned * self.focal_px(size) + centre).astype(np.float32)


@functools.cache
def noise_tile(number: int = 0) -> np.ndarray:
    """Fractal value noise that repeats without a seam, (256, 256) float32, mean 0, deviation 1."""
    rng = np.random.default_rng([7, number])
    total = np.zeros((TILE, TILE), np.float32)
    for cells in (8, 16, 32, 64, 128):
        grid = rng.standard_normal((cells, cells)).astype(np.float32)
        grid = np.pad(grid, 2, mode="wrap")
        step = TILE // cells
        large = cv2.resize(grid, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)
        total += large[2 * step : 2 * step + TILE, 2 * step : 2 * step + TILE] * (8 / cells) ** 0.8
    return (total - total.mean()) / total.std()


@functools.cache
def slope_tile() -> np.ndarray:
    """Slopes of a noise tile along x and y, (256, 256, 2) float32, deviation 1."""
    tile = cv2.GaussianBlur(np.tile(noise_tile(3), (3, 3)), (0, 0), 1.2)[TILE : 2 * TILE]
    tile = tile[:, TILE - 1 : 2 * TILE + 1]
    along_x = (tile[:, 2:] - tile[:, :-2]) / 2
    along_y = (np.roll(tile, -1, 0) - np.roll(tile, 1, 0))[:, 1:-1] / 2
    slopes = np.stack([along_x, along_y], axis=2)
    return np.ascontiguousarray(slopes / slopes.std())


def sample(tile: np.ndarray, x: np.ndarray, y: np.ndarray, feature_m: float) -> np.ndarray:
    """A repeating tile read at positions in metres; its largest features measure `feature_m`."""
    scale = np.float32(32 / feature_m)
    return cv2.remap(
        tile, _wrap(x * scale), _wrap(y * scale), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
    )


def smoothstep(low: float, high: float, value: np.ndarray) -> np.ndarray:
    """0 below `low`, 1 above `high`, a soft S between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _wrap(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values - TILE * np.floor(values / TILE), dtype=np.float32)
