"""The ground of a scene: how high it lies and what it looks like, anywhere in the world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from train.scenes.view import noise_tile, sample, smoothstep

FAR_M = 1500.0
Colour = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Land:
    """Ground with hollows (`bumps_m`), a valley, a road and fields. Lengths in metres.

    `bank` is where the valley's side begins and ends, in valley widths from its axis.
    """

    offset: tuple[float, float]
    bumps_m: float
    feature_m: float
    tilt: tuple[float, float]
    valley_centre: float
    valley_width: float
    valley_depth: float
    bank: tuple[float, float]
    meander_m: float
    first: Colour
    second: Colour
    patch_m: float
    field_m: float
    road_centre: float
    road_width: float
    road_slant: float
    snow: float
    wet_road: bool

    def height(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Height of the ground in metres at world positions of any one shape, float32."""
        east, north = x + self.offset[0], y + self.offset[1]
        ground = self.bumps_m * sample(noise_tile(0), east, north, self.feature_m)
        ground += self.tilt[0] * x + self.tilt[1] * y
        if self.valley_depth > 0:
            across = (x - self.valley_axis(y)) / self.valley_width
            ground += self.valley_depth * (smoothstep(*self.bank, np.abs(across)) - 1)
        return ground.astype(np.float32)

    def valley_axis(self, y: np.ndarray) -> np.ndarray:
        """Where the river's middle lies (x, metres) at distance y."""
        return self.valley_centre + self.meander_m * np.sin(y / 60 + self.offset[0])

    def road_distance(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Distance across the road, in half road widths (below 1 is on the road)."""
        return np.abs(x - self.road_centre - self.road_slant * y) / (self.road_width / 2 + 1e-6)

    def on_road(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """1 on the road, 0 beside it, float32."""
        return (self.road_distance(x, y) < 1).astype(np.float32)

    def colour(self, x: np.ndarray, y: np.ndarray, footprint_m: np.ndarray) -> np.ndarray:
        """Albedo (h, w, 3) float32 where one pixel covers `footprint_m` metres of ground."""
        east, north = x + self.offset[0], y + self.offset[1]
        coarse = sample(noise_tile(1), east, north, self.patch_m)
        fine = sample(noise_tile(2), east, north, self.patch_m / 14)
        fine = fine / (1 + (footprint_m * 40 / self.patch_m) ** 2)
        grit = sample(noise_tile(6), east, north, self.patch_m / 60 + 0.25)
        grit = grit / (1 + (footprint_m * 160 / (self.patch_m + 15)) ** 2)
        blend = smoothstep(-1.0, 1.0, coarse + 0.4 * fine)[..., None]
        ground = np.float32(self.first) * (1 - blend) + np.float32(self.second) * blend
        if self.field_m > 0:
            ground = self._fields(ground, east, north, footprint_m)
        ground *= (1 + 0.14 * fine + 0.05 * coarse + 0.2 * grit)[..., None]
        if self.road_width > 0:
            ground = self._road(ground, x, y, 0.6 * fine + 0.5 * grit, footprint_m)
        if self.snow > 0:
            lying = smoothstep(
                0.7 - 1.4 * self.snow, 1.2 - 1.4 * self.snow, coarse * 0.5 + fine * 0.3
            )
            lying = 0.92 * lying[..., None]
            ground = ground * (1 - lying) + lying * (
                np.float32((0.86, 0.88, 0.93)) * (1 + 0.04 * fine)[..., None]
            )
        return ground

    def _fields(self, ground, east, north, footprint_m) -> np.ndarray:
        """Patchwork of fields: each cell of a skewed grid has its own crop, tone and furrows."""
        u = (east * 0.9 + north * 0.42) / self.field_m
        v = (north * 0.9 - east * 0.42) / (self.field_m * 0.6)
        column = np.floor(u)
        row = np.floor(v + 0.37 * column)
        index = (column.astype(np.int64) * 7 + row.astype(np.int64) * 13) % 61
        rng = np.random.default_rng(int(abs(self.offset[0]) * 10))
        palette = np.float32(CROPS)[rng.integers(0, len(CROPS), 61)] * rng.normal(1, 0.12, (61, 1))
        angle = rng.uniform(0, np.pi, 61).astype(np.float32)[index]
        furrows = np.sin((east * np.cos(angle) + north * np.sin(angle)) * 2.4)
        furrows = furrows / (1 + (footprint_m * 2.2) ** 2)
        share = np.float32(0.75)
        mixed = ground * (1 - share) + palette.astype(np.float32)[index] * share
        return mixed * (1 + 0.1 * furrows)[..., None]

    def _road(self, ground, x, y, fine, footprint_m) -> np.ndarray:
        across = self.road_distance(x, y)
        soft = np.clip(footprint_m / self.road_width * 2, 0.02, 0.5)
        on_road = np.clip((1 - across) / soft + 0.5, 0, 1)[..., None]
        kerb = np.clip(1 - np.abs(across - 1.25) / 0.22, 0, 1)[..., None] * 0.7
        asphalt = np.float32((0.3, 0.3, 0.31)) * (1 + 0.12 * fine)[..., None]
        dash = (np.sin(y * 1.1) > 0.1) & (across < 0.035 + footprint_m / self.road_width * 0.6)
        line = (dash / (1 + (footprint_m * 4) ** 2))[..., None] * 0.75
        asphalt = asphalt * (1 - line) + np.float32((0.85, 0.84, 0.78)) * line
        ground = ground * (1 - kerb) + np.float32((0.52, 0.5, 0.47)) * kerb
        return ground * (1 - on_road) + asphalt * on_road


CROPS: tuple[Colour, ...] = (
    (0.28, 0.42, 0.16), (0.4, 0.5, 0.2), (0.62, 0.55, 0.3), (0.42, 0.32, 0.22),
    (0.2, 0.34, 0.14), (0.5, 0.42, 0.28), (0.7, 0.66, 0.34), (0.33, 0.4, 0.24),
)  # fmt: skip
GROUNDS: tuple[Colour, ...] = (
    (0.26, 0.38, 0.15), (0.35, 0.44, 0.19), (0.48, 0.44, 0.25), (0.42, 0.33, 0.22),
    (0.5, 0.46, 0.4), (0.22, 0.3, 0.14), (0.56, 0.5, 0.38), (0.38, 0.37, 0.35),
    (0.36, 0.4, 0.42), (0.45, 0.28, 0.18),
)  # fmt: skip
