"""Generated photographs of floods with exact masks; seeded, without torch.

description = describe(seed)                     what stands where, which light, which water
scene = render(description, size, time_s=2.0)    the photograph and its mask
scene = generate_scene(seed, size)               both at once
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from train.scenes.land import FAR_M, Land
from train.scenes.light import WARM, Light, background, choose_light, photograph
from train.scenes.objects import Quad, draw, lamp_light, shadow_map
from train.scenes.places import PLACES, SHARES
from train.scenes.view import Camera
from train.scenes.water import Water, choose_water, paint

DRY_SHARE = 0.1
DRY = -1e3


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A photograph (h, w, 3) uint8 RGB and its mask (h, w) bool, water is True."""

    image: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True, kw_only=True)
class SceneDescription:
    """Everything that makes a scene, independent of picture size and time.

    `water_level` is in metres on the scale of `Land.height`; `quads` are ordered far to near.
    """

    seed: int
    place: str
    camera: Camera
    land: Land
    light: Light
    water: Water
    quads: tuple[Quad, ...]
    skyline: float
    water_level: float


def generate_scene(seed: int, size: tuple[int, int]) -> Scene:
    """The photograph that belongs to a seed, at `size` (height, width)."""
    return render(describe(seed), size)


def describe(seed: int) -> SceneDescription:
    """What a seed stands for: place, camera, light, water and how high it stands."""
    rng = np.random.default_rng([2024, seed])
    place = str(rng.choice(list(PLACES), p=SHARES))
    camera, land, quads, skyline, reach_m = PLACES[place](rng)
    light = choose_light(rng, reach_m * 4)
    water = choose_water(rng, reach_m)
    level = DRY
    if rng.random() >= DRY_SHARE:
        level = level_for_fraction(camera, land, float(rng.beta(1.1, 1.5) * 0.95))
    return SceneDescription(
        seed=seed, place=place, camera=camera, land=land, light=light, water=water,
        quads=tuple(quads), skyline=skyline, water_level=level,
    )  # fmt: skip


def level_for_fraction(
    camera: Camera, land: Land, fraction: float | np.ndarray
) -> float | np.ndarray:
    """The water level in metres that floods about `fraction` of the picture, objects aside."""
    rays = camera.rays((64, 64))
    heights = _ground(camera, land, rays)[3][_below_horizon(camera, rays)]
    covered = (np.arange(heights.size) + 0.5) / rays[2].size
    level = np.interp(fraction, covered, np.sort(heights))
    return float(level) if np.isscalar(fraction) else level


def render(
    description: SceneDescription,
    size: tuple[int, int],
    time_s: float = 0.0,
    water_level: float | None = None,
) -> Scene:
    """The photograph of a described scene at a time and a water level (its own by default).

    `size` is (height, width). Equal arguments give equal pixels.
    """
    level = description.water_level if water_level is None else water_level
    camera, light, quads = description.camera, description.light, description.quads
    view = _view(camera, description.land, size)
    sky = background(light, view.rays, description.skyline, time_s)
    lamps = lamp_light(quads, light, view.x, view.y)
    land = _lit_land(description, view, level, lamps, sky)
    canvas = np.where(view.seen[..., None], land, sky)
    flooded = np.zeros(size, bool)
    if level > DRY:
        mirror = sky.copy()
        draw(mirror, quads, camera, light, level, mirrored=True)
        reach = np.clip((level - camera.height) / np.minimum(view.rays[2], -1e-4), 0, FAR_M)
        position = view.rays[0] * reach, view.rays[1] * reach
        depth = level - description.land.height(*position)
        flooded = view.seen & (depth > 0)
        surface = paint(
            description.water, light, mirror, canvas, depth, position, view.rays,
            camera.focal_px(size), lamps, view.footprint, time_s,
        )  # fmt: skip
        canvas = np.where(flooded[..., None], surface, canvas)
    veil = ((1 - np.exp(-light.haze * view.distance)) * view.seen)[..., None]
    canvas = canvas * (1 - veil) + np.float32(light.horizon) * veil
    solid = draw(canvas, quads, camera, light, level)
    rng = np.random.default_rng([description.seed, round(time_s * 1000)])
    return Scene(image=photograph(canvas, light, rng), mask=flooded & ~solid)


@dataclass(frozen=True, kw_only=True)
class _View:
    """What a camera sees of bare land: all that stays the same through a clip. Metres, (h, w)."""

    rays: tuple[np.ndarray, ...]
    x: np.ndarray
    y: np.ndarray
    distance: np.ndarray
    ground: np.ndarray
    footprint: np.ndarray
    seen: np.ndarray
    albedo: np.ndarray


@functools.lru_cache(maxsize=2)
def _view(camera: Camera, land: Land, size: tuple[int, int]) -> _View:
    rays = camera.rays(size)
    x, y, distance, ground = _ground(camera, land, rays)
    footprint = distance / camera.focal_px(size) / np.clip(-rays[2], 0.02, 1)
    return _View(
        rays=rays, x=x, y=y, distance=distance, ground=ground, footprint=footprint,
        seen=_below_horizon(camera, rays), albedo=land.colour(x, y, footprint),
    )  # fmt: skip


def _ground(camera: Camera, land: Land, rays) -> tuple[np.ndarray, ...]:
    """Where each ray meets the ground: x, y, distance and height, found by fixed-point steps."""
    down = np.minimum(rays[2], -1e-4)
    height = np.zeros_like(rays[2])
    for _ in range(3):
        reach = np.clip((height - camera.height) / down, 0.3, FAR_M)
        x, y = rays[0] * reach, rays[1] * reach
        height = np.minimum(land.height(x, y), camera.height - 0.3)
    return x, y, reach, height


def _below_horizon(camera: Camera, rays) -> np.ndarray:
    return rays[2] < -camera.height / FAR_M


def _lit_land(
    description: SceneDescription, view: _View, level: float, lamps, sky: np.ndarray
) -> np.ndarray:
    """The land in its light: sun and shadow, lamps, a dark wet rim above the water, wet roads."""
    light, land, size = description.light, description.land, view.x.shape
    shade = shadow_map(description.quads, light, description.camera, size)
    wet = np.exp(-np.clip(view.ground - level, 0, 50) / 0.12)[..., None]
    sun = np.float32(light.sun) * light.sun_direction[2] * (1 - 0.75 * shade)[..., None]
    glow = np.asarray(lamps, np.float32)[..., None] * WARM
    lit = np.float32(light.ambient) + sun + glow
    lit *= view.albedo * (1 - 0.35 * wet) * np.float32(1.15)
    if land.wet_road:
        sheen = 0.5 * land.on_road(view.x, view.y) * (1 - np.clip(-view.rays[2], 0, 1)) ** 3
        lit += sheen[..., None] * (sky - lit)
    return lit
