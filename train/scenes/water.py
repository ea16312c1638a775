"""The water of a scene: ripples that move with time, what it mirrors and what shines through."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from train.scenes.light import WARM, Light
from train.scenes.view import noise_tile, sample, slope_tile, smoothstep

Colour = tuple[float, float, float]

BODIES: tuple[Colour, ...] = (
    (0.46, 0.36, 0.24), (0.52, 0.42, 0.3), (0.4, 0.34, 0.26), (0.36, 0.3, 0.18),  # mud
    (0.2, 0.3, 0.2), (0.28, 0.36, 0.2), (0.1, 0.2, 0.3), (0.14, 0.28, 0.36),  # green, blue
    (0.34, 0.36, 0.36), (0.46, 0.47, 0.45), (0.06, 0.08, 0.08), (0.1, 0.11, 0.1),  # grey, black
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Water:
    """How water looks: colour of its body, clearness per metre, ripples, drift in metres/second."""

    body: Colour
    murk: float
    ripple_m: float
    roughness: float
    drift: tuple[float, float]
    flotsam: float
    shine: float


def choose_water(rng: np.random.Generator, reach_m: float) -> Water:
    """A water surface for a camera that looks at it from about `reach_m` metres."""
    body = (
        np.float32(BODIES[rng.integers(len(BODIES))]) * rng.normal(1, 0.1) * rng.normal(1, 0.04, 3)
    )
    return Water(
        body=tuple(float(c) for c in body),
        murk=float(rng.choice([1.5, 4.0, 12.0])),
        ripple_m=float(np.clip(reach_m * rng.uniform(0.05, 0.14), 0.5, 12)),
        roughness=float(np.clip(0.008 + rng.gamma(1.3, 0.02), 0.008, 0.11)),
        drift=(float(rng.normal(0, 0.4)), float(rng.normal(0, 0.6))),
        flotsam=float(rng.random() < 0.25) * float(rng.uniform(0.2, 1.0)),
        shine=float(rng.uniform(0.8, 1.5)),
    )


def ripples(water: Water, light: Light, x, y, footprint_m, time_s: float) -> np.ndarray:
    """Slopes of the surface along x and y, (h, w, 2) float32; waves below a pixel fade."""
    total = np.zeros((*x.shape, 2), np.float32)
    waves = [(1.0, 1.0, 0.35), (0.31, 0.8, 0.6)]
    if light.rain > 0:
        waves.append((0.12, 1.5 * light.rain, 3.0))
    for length, strength, speed in waves:
        size = water.ripple_m * length
        east = x + (water.drift[0] + speed * 0.6) * time_s
        north = y * 1.0 + (water.drift[1] - speed) * time_s
        fade = strength / (1 + (footprint_m * 9 / size) ** 2)
        total += sample(slope_tile(), east, north, size) * fade[..., None]
    return total * np.float32(water.roughness)


def paint(
    water: Water,
    light: Light,
    mirror: np.ndarray,
    bed: np.ndarray,
    depth_m: np.ndarray,
    position: tuple[np.ndarray, np.ndarray],
    rays: tuple[np.ndarray, ...],
    focal_px: float,
    lamps: np.ndarray | float,
    footprint_m: np.ndarray,
    time_s: float,
) -> np.ndarray:
    """Radiance of the water surface, (h, w, 3) float32.

    `mirror` is what flat water would show, `bed` the lit ground below, both (h, w, 3).
    Reflectance after Schlick (1994), F0 = 0.02.
    """
    x, y = position
    height, width = x.shape
    slopes = ripples(water, light, x, y, footprint_m, time_s)
    down = np.clip(-rays[2], 0.01, 1)
    columns = np.arange(width, dtype=np.float32)[None, :]
    rows = np.arange(height, dtype=np.float32)[:, None]
    reach = np.float32(2 * focal_px)
    shift = np.clip(slopes[..., 1] * reach, -0.3 * height, 0.3 * height)
    soft = cv2.GaussianBlur(
        mirror, (0, 0), 0.3 + 4 * water.roughness, sigmaY=0.4 + water.roughness * height * 0.3
    )
    seen = cv2.remap(
        soft,
        columns + slopes[..., 0] * reach * down,
        rows + shift,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    facing = np.clip(down - slopes[..., 1] * rays[1] - slopes[..., 0] * rays[0], 0.02, 1)
    grazing = 1 - facing
    fresnel = 0.02 + 0.98 * (grazing * grazing) ** 2 * grazing
    fresnel = np.clip(fresnel * water.shine, 0, 0.95)[..., None]
    patches = sample(
        noise_tile(5), x + water.drift[0] * time_s, y + water.drift[1] * time_s, water.ripple_m * 9
    )
    tone = 1 + 0.08 * patches + 2.2 * slopes[..., 1]
    glow = np.float32(light.ambient) + np.float32(light.sun) * np.float32(
        0.25 + 0.6 * light.sun_direction[2]
    )
    glow = glow + np.asarray(lamps, np.float32)[..., None] * WARM
    body = np.float32(water.body) * glow * tone[..., None]
    clear = np.exp(-np.clip(depth_m, 0, 9) * water.murk)[..., None] * 0.75
    surface = (body * (1 - clear) + bed * clear * 0.8) * (1 - fresnel) + seen * fresnel
    if light.sun[0] > 0.1:
        surface += _glints(light, slopes, rays, down)
    if water.flotsam > 0:
        specks = sample(
            noise_tile(6),
            x + water.drift[0] * time_s,
            y + water.drift[1] * time_s,
            water.ripple_m * 3,
        )
        cover = (
            smoothstep(2.1 - 0.4 * water.flotsam, 2.4 - 0.4 * water.flotsam, specks)[..., None]
            * 0.7
        )
        surface = surface * (1 - cover) + cover * np.float32((0.5, 0.45, 0.35)) * glow
    return surface


def _glints(
    light: Light, slopes: np.ndarray, rays: tuple[np.ndarray, ...], down: np.ndarray
) -> np.ndarray:
    """Sunlight thrown back by waves that happen to lie right."""
    mirrored = (
        (rays[0] - 2 * down * slopes[..., 0]) * light.sun_direction[0]
        + (rays[1] - 2 * down * slopes[..., 1]) * light.sun_direction[1]
        + (down + 2 * (rays[1] * slopes[..., 1] + rays[0] * slopes[..., 0]))
        * light.sun_direction[2]
    )
    return np.exp(220 * (np.minimum(mirrored, 1) - 1))[..., None] * np.float32(light.sun) * 2.5
