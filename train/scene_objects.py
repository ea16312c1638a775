"""Things that stand in a scene, all made of textured four-cornered faces, and how they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from train.scene_light import Light
from train.scene_textures import texture
from train.scene_view import Camera

Colour = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Quad:
    """One textured face. `corners` (4, 3) in metres: bottom left, bottom right, top right, top left.

    The bottom and the top edge are level, so water cuts a face parallel to them. `glow` is light
    that the face gives off by itself when lamps are on.
    """

    corners: np.ndarray
    texture: str
    tint: Colour
    glow: float = 0.0
    shadow: bool = False

    @property
    def distance(self) -> float:
        """Metres from the camera's foot to the middle of the face."""
        return float(np.hypot(*self.corners[:, :2].mean(axis=0)))


def box(rng_tint: Colour, centre, extent, turn: float, faces: str, roof: str = "plain") -> list[Quad]:
    """A box of `extent` (width, length, height) with its base at `centre`, turned about z (radians)."""
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
            quads.append(Quad(corners=corners, texture=faces, tint=rng_tint, shadow=True))
    top = np.array([high[0], high[1], high[2], high[3]])
    quads.sort(key=lambda quad: -quad.distance)
    return [*quads, Quad(corners=top, texture=roof, tint=rng_tint)]


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
    for quad in quads:
        visible = above_water(quad.corners, level)
        if visible is None:
            continue
        corners, cut = visible
        if mirrored:
            corners = corners * (1, 1, -1) + (0, 0, 2 * level)
        points = camera.project(corners, size)
        if points is not None:
            _warp(canvas, solid, quad, points, cut, light)
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
    if right <= left or bottom <= top:
        return
    span = float(np.max(points.max(axis=0) - points.min(axis=0)))
    picture = texture(quad.texture, span)
    rows, columns = picture.shape[:2]
    base = rows * (1 - cut)
    source = np.float32([(0, base), (columns, base), (columns, 0), (0, 0)]) - 0.5
    matrix = cv2.getPerspectiveTransform(source, points - np.float32((left, top)))
    patch = cv2.warpPerspective(picture, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    region = canvas[top:bottom, left:right]
    alpha = patch[..., 3:].astype(np.float32) / 255
    colour = patch[..., :3].astype(np.float32) / 255 * (np.float32(quad.tint) * lit(quad, light))
    if quad.glow > 0:
        colour = colour + patch[..., :3] * np.float32(quad.glow * light.lamps / 255)
    veil = 1 - np.exp(-light.haze * quad.distance)
    colour = colour * (1 - veil) + alpha * np.float32(light.horizon) * np.float32(veil)
    region *= 1 - alpha
    region += colour
    solid[top:bottom, left:right] |= patch[..., 3] > 127


def lit(quad: Quad, light: Light) -> np.ndarray:
    """Light that falls on a face, RGB: the sky's and, as far as it faces the sun, the sun's."""
    first, second = quad.corners[1] - quad.corners[0], quad.corners[3] - quad.corners[0]
    normal = np.cross(first, second)
    normal = normal / (np.linalg.norm(normal) + 1e-9)
    facing = float(np.clip(normal @ np.asarray(light.sun_direction), 0, 1))
    if quad.texture.startswith(("tree", "conifer", "bush", "bare")):
        facing = 0.35 + 0.4 * facing
    sky = 0.75 + 0.25 * abs(float(normal[2]))
    return (np.float32(light.ambient) * sky + np.float32(light.sun) * facing).astype(np.float32) * np.float32(1.15)


def shadow_map(quads: Sequence[Quad], light: Light, camera: Camera, size: tuple[int, int]) -> np.ndarray:
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
        if points is not None and np.abs(points).max() < 8000:
            cv2.fillConvexPoly(shade, cv2.convexHull(points).astype(np.int32), 255)
    return cv2.GaussianBlur(shade, (0, 0), size[0] / 180).astype(np.float32) / 255
