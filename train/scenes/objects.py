"""Textured four-cornered faces, of which all things in a scene are made, and how to draw them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from train.scenes.light import Light
from train.scenes.textures import texture
from train.scenes.view import Camera

Colour = tuple[float, float, float]
LEAFY = ("tree", "conifer", "bush", "bare", "hedge")


@dataclass(frozen=True, kw_only=True)
class Quad:
    """One textured face.

    `corners` (4, 3) in metres: bottom left, bottom right, top right, top left. The bottom and the
    top edge are level, so water cuts a face parallel to them. `glow` is light that the face gives
    off by itself when lamps are on.
    """

    corners: np.ndarray
    texture: str
    tint: Colour
    glow: float = 0.0
    shadow: bool = False

    @functools.cached_property
    def distance(self) -> float:
        """Metres from the camera's foot to the middle of the face."""
        return float(np.hypot(*self.corners[:, :2].mean(axis=0)))

    @functools.cached_property
    def normal(self) -> tuple[float, float, float]:
        """The unit vector the face looks along."""
        (ax, ay, az), (bx, by, bz) = (self.corners[[1, 3]] - self.corners[0]).tolist()
        x, y, z = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        length = (x * x + y * y + z * z) ** 0.5 + 1e-9
        return x / length, y / length, z / length


def box(tint: Colour, centre, extent, turn: float, faces: str, roof: str = "plain") -> list[Quad]:
    """A box of `extent` (width, length, height), its base at `centre`, turned by radians."""
    width, length, height = extent
    cos, sin = np.cos(turn), np.sin(turn)
    flat = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (width / 2, length / 2)
    flat = flat @ np.array([[cos, sin], [-sin, cos]]) + np.asarray(centre[:2])
    low = np.column_stack([flat, np.full(4, centre[2])])
    high = low + (0, 0, height)
    quads = []
    for i in range(4):
        j = (i + 1) % 4
        middle = (low[i] + low[j])[:2] / 2
        outward = middle - np.asarray(centre[:2])
        if outward @ middle < 0:
            corners = np.array([low[i], low[j], high[j], high[i]])
            quads.append(Quad(corners=corners, texture=faces, tint=tint, shadow=True))
    quads.sort(key=lambda quad: -quad.distance)
    return [*quads, Quad(corners=high, texture=roof, tint=tint)]


def draw(
    canvas: np.ndarray,
    quads: Sequence[Quad],
    camera: Camera,
    light: Light,
    level: float,
    mirrored: bool = False,
) -> np.ndarray:
    """Draws what rises above the water into `canvas` (h, w, 3) float32, far to near.

    With `mirrored`, draws what still water at `level` shows of it instead. Returns where
    something solid was drawn, (h, w) bool.
    """
    size = canvas.shape[:2]
    solid = np.zeros(size, bool)
    visible = []
    for quad in quads:
        part = above_water(quad.corners, level)
        if part is not None and (quad.glow == 0 or light.lamps > 0 or quad.texture == "lamp0"):
            visible.append((quad, *part))
    if not visible:
        return solid
    corners = np.stack([part[1] for part in visible])
    if mirrored:
        corners = corners * (1, 1, -1) + (0, 0, 2 * level)
    placed = camera.project(corners, size)
    low, high = placed.min(axis=1), placed.max(axis=1)
    seen = (high > 0).all(axis=1) & (low < size[::-1]).all(axis=1)
    seen &= np.isfinite(high).all(axis=1) & ((high - low).max(axis=1) >= 1.5)
    for i in np.flatnonzero(seen):
        quad, _, cut = visible[i]
        _warp(canvas, solid, quad, placed[i], cut, light)
    return solid


def above_water(corners: np.ndarray, level: float) -> tuple[np.ndarray, float] | None:
    """The part of a face above `level` and the share of its height that the water hides."""
    low, high = float(corners[0, 2]), float(corners[3, 2])
    if max(low, high) <= level:
        return None
    if low >= level:
        return corners, 0.0
    cut = (level - low) / (high - low)
    left = corners[0] + cut * (corners[3] - corners[0])
    right = corners[1] + cut * (corners[2] - corners[1])
    return np.array([left, right, corners[2], corners[3]]), cut


def _warp(canvas, solid, quad: Quad, points: np.ndarray, cut: float, light: Light) -> None:
    height, width = canvas.shape[:2]
    left, top = np.maximum(np.floor(points.min(axis=0)), 0).astype(int)
    right, bottom = np.minimum(np.ceil(points.max(axis=0)) + 1, (width, height)).astype(int)
    span = float(np.max(points.max(axis=0) - points.min(axis=0)))
    if right <= left or bottom <= top:
        return
    picture = texture(quad.texture, span)
    rows, columns = picture.shape[:2]
    base = rows * (1 - cut)
    source = np.float32([(0, base), (columns, base), (columns, 0), (0, 0)]) - 0.5
    points = points - np.float32((left, top))
    matrix = cv2.getPerspectiveTransform(source, points)
    patch = cv2.warpPerspective(
        picture, matrix, (right - left, bottom - top), borderMode=cv2.BORDER_REPLICATE
    )
    inside = np.zeros(patch.shape[:2], np.uint8)
    outline = np.clip(points, -3000, 3000) * 16 + 0.5
    cv2.fillConvexPoly(inside, outline.astype(np.int32), 255, cv2.LINE_AA, 4)
    cover = inside[..., None].astype(np.float32) / np.float32(255 * 255)
    alpha = patch[..., 3:] * cover
    painted = patch[..., :3] * cover
    colour = painted * (np.float32(quad.tint) * lit(quad, light))
    if quad.glow > 0:
        colour += painted * np.float32(quad.glow * light.lamps)
    veil = np.float32(1 - np.exp(-light.haze * quad.distance))
    colour = colour * (1 - veil) + alpha * (np.float32(light.horizon) * veil)
    region = canvas[top:bottom, left:right]
    region *= 1 - alpha
    region += colour
    solid[top:bottom, left:right] |= alpha[..., 0] > 0.5


def lit(quad: Quad, light: Light) -> np.ndarray:
    """Light that falls on a face, RGB: the sky's and, as far as it faces the sun, the sun's."""
    facing = sum(n * s for n, s in zip(quad.normal, light.sun_direction, strict=True))
    facing = min(max(facing, 0.0), 1.0)
    if quad.texture.startswith(LEAFY):
        facing = 0.35 + 0.4 * facing
    sky = 0.75 + 0.25 * abs(quad.normal[2])
    pairs = zip(light.ambient, light.sun, strict=True)
    return np.float32([1.15 * (ambient * sky + sun * facing) for ambient, sun in pairs])


def lamp_light(
    quads: Sequence[Quad], light: Light, x: np.ndarray, y: np.ndarray
) -> np.ndarray | float:
    """What the street lamps add on ground or water at (x, y), float32 like `x`; 0 by day."""
    glow: np.ndarray | float = 0.0
    if light.lamps > 0.4:
        for quad in quads:
            if quad.texture == "lamp0":
                east, north = quad.corners[0, 0] + 0.5, quad.corners[0, 1]
                squared = (x - np.float32(east)) ** 2 + (y - np.float32(north)) ** 2
                glow = glow + np.float32(0.7 * light.lamps) / (1 + squared / 14)
    return glow


def shadow_map(
    quads: Sequence[Quad], light: Light, camera: Camera, size: tuple[int, int]
) -> np.ndarray:
    """How much of the sunlight things keep from the ground, (h, w) float32, 0-1."""
    shade = np.zeros(size, np.uint8)
    if light.sun[0] < 0.2:
        return shade.astype(np.float32)
    sun = np.asarray(light.sun_direction)
    for quad in quads:
        if not quad.shadow:
            continue
        foot = quad.corners[0, 2]
        fall = quad.corners - sun * ((quad.corners[:, 2:] - foot) / max(sun[2], 0.15))
        points = camera.project(fall, size)
        if np.isfinite(points).all() and np.abs(points).max() < 8000:
            cv2.fillConvexPoly(shade, cv2.convexHull(points).astype(np.int32), 255)
    return cv2.GaussianBlur(shade, (0, 0), size[0] / 180).astype(np.float32) / 255
