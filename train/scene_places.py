"""The kinds of places a scene can show: a river, a street, fields from above, a quay, a yard."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from train.scene_land import GROUNDS, Land
from train.scene_objects import Colour, Quad, box
from train.scene_view import Camera

Place = tuple[Camera, Land, list[Quad], float, float]
WALLS: tuple[Colour, ...] = (
    (0.85, 0.8, 0.7), (0.7, 0.42, 0.32), (0.8, 0.75, 0.5), (0.6, 0.62, 0.64), (0.9, 0.9, 0.88),
    (0.55, 0.65, 0.72), (0.72, 0.55, 0.42), (0.6, 0.68, 0.55), (0.86, 0.66, 0.55),
)  # fmt: skip
ROOFS: tuple[Colour, ...] = ((0.6, 0.3, 0.22), (0.35, 0.34, 0.35), (0.5, 0.42, 0.36), (0.42, 0.5, 0.6))
LEAVES: tuple[Colour, ...] = (
    (0.26, 0.4, 0.14), (0.34, 0.46, 0.2), (0.2, 0.32, 0.14), (0.45, 0.45, 0.18), (0.55, 0.38, 0.16),
)  # fmt: skip
PAINTS: tuple[Colour, ...] = (
    (0.8, 0.8, 0.82), (0.15, 0.15, 0.17), (0.6, 0.1, 0.1), (0.15, 0.25, 0.5), (0.45, 0.47, 0.5), (0.7, 0.65, 0.5),
)  # fmt: skip


def river(rng: np.random.Generator) -> Place:
    """From the bank along a river between trees and houses."""
    camera = _camera(rng, height=(2.5, 8.0), pitch=(0.08, 0.3), focal=(0.75, 1.2))
    width = rng.uniform(8, 22)
    centre = rng.uniform(-0.7, 0.7) * width
    land = _land(
        rng, bumps_m=0.35, feature_m=30.0, valley_centre=centre, valley_width=width,
        valley_depth=rng.uniform(1.5, 3.0), meander_m=rng.uniform(0, 12),
    )  # fmt: skip
    quads = []
    for side in (-1, 1):
        for _ in range(rng.integers(4, 14)):
            y = rng.uniform(15, 160)
            x = float(land.valley_axis(np.float64(y))) + side * width * rng.uniform(1.05, 2.6)
            quads += tree(rng, land, x, y, tall=rng.uniform(4, 13))
        for _ in range(rng.integers(0, 4)):
            y = rng.uniform(35, 160)
            x = float(land.valley_axis(np.float64(y))) + side * width * rng.uniform(1.7, 3.0)
            quads += house(rng, land, x, y)
    return camera, land, _far_first(quads), rng.uniform(0.02, 0.12), 25.0


def street(rng: np.random.Generator) -> Place:
    """A street between houses, with cars, lamps and trees."""
    camera = _camera(rng, height=(1.7, 6.0), pitch=(0.05, 0.3), focal=(0.7, 1.1))
    half = rng.uniform(5, 9)
    land = _land(
        rng, bumps_m=0.12, feature_m=24.0, tilt=(rng.normal(0, 0.008), rng.normal(0, 0.006)),
        road_width=half * 1.2, road_centre=rng.uniform(-2, 2), ground=(7, 4),
    )  # fmt: skip
    quads = []
    for side in (-1, 1):
        y = rng.uniform(3, 10)
        while y < 130:
            deep, tall = rng.uniform(7, 16), rng.uniform(4, 13)
            if rng.random() < 0.8:
                x = side * (half + rng.uniform(0, 2) + 4)
                quads += house(rng, land, x, y + deep / 2, extent=(8, deep, tall), turn=0.0)
            y += deep + rng.choice([0.0, 0.4, 5.0])
        for y in np.arange(rng.uniform(8, 14), 90, rng.uniform(14, 24)):
            quads += lamp(rng, land, side * half * 0.85, y) if rng.random() < 0.7 else tree(rng, land, side * half * 0.85, y, 5)
    for _ in range(rng.integers(1, 7)):
        quads += car(rng, land, rng.choice([-1, 1]) * half * rng.uniform(0.3, 0.62), rng.uniform(7, 60), 1.57)
    return camera, land, _far_first(quads), rng.uniform(0, 0.08), 12.0


def fields(rng: np.random.Generator) -> Place:
    """Fields, hedges and farms from the air."""
    camera = _camera(rng, height=(25, 90), pitch=(0.35, 1.1), focal=(0.8, 1.2))
    reach = camera.height / np.tan(camera.pitch)
    land = _land(
        rng, bumps_m=1.0, feature_m=rng.uniform(60, 160), field_m=rng.uniform(30, 80),
        road_width=rng.choice([0, 6.0, 8.0]), road_centre=rng.normal(0, 15), road_slant=rng.normal(0, 0.5),
        valley_depth=rng.choice([0.0, 1.5]), valley_width=rng.uniform(8, 20), valley_centre=rng.normal(0, 25),
        meander_m=20.0, patch_m=40.0,
    )  # fmt: skip
    quads = []
    for _ in range(rng.integers(5, 16)):
        x, y = rng.normal(0, reach * 0.6 + 15), reach * rng.uniform(0.35, 2.5) + 5
        for _ in range(rng.integers(1, 7)):
            quads += tree(rng, land, x + rng.normal(0, 6), y + rng.normal(0, 6), rng.uniform(4, 9), camera.pitch)
    for _ in range(rng.integers(0, 9)):
        quads += house(rng, land, rng.normal(0, reach * 0.5 + 12), reach * rng.uniform(0.4, 2.2) + 5)
    return camera, land, _far_first(quads), rng.uniform(0, 0.06), float(reach)


def quay(rng: np.random.Generator) -> Place:
    """Down on a river from a bridge or a wall, with walls, piers and a staff gauge."""
    camera = _camera(rng, height=(5, 11), pitch=(0.2, 0.55), focal=(0.8, 1.2))
    width = rng.uniform(7, 14)
    centre = rng.uniform(-0.5, 0.5) * width
    land = _land(
        rng, bumps_m=0.5, feature_m=9.0, valley_centre=centre, valley_width=width, valley_depth=1.5,
        ground=(4, 7), patch_m=6.0,
    )  # fmt: skip
    quads = []
    for side in (-1, 1):
        if rng.random() < 0.8:
            quads += embankment(rng, centre + side * width * rng.uniform(0.7, 1.1))
        for _ in range(rng.integers(1, 7)):
            quads += house(rng, land, centre + side * width * rng.uniform(1.9, 3), rng.uniform(25, 110))
        for _ in range(rng.integers(1, 6)):
            quads += tree(rng, land, centre + side * width * rng.uniform(1.3, 2.2), rng.uniform(15, 90), rng.uniform(4, 10))
    return camera, land, _far_first(quads), rng.uniform(0, 0.1), 12.0


def yard(rng: np.random.Generator) -> Place:
    """Flat open land: a yard, a park or a village green with fences, trees and puddles."""
    camera = _camera(rng, height=(1.6, 5.0), pitch=(0.1, 0.4), focal=(0.75, 1.2))
    land = _land(
        rng, bumps_m=rng.uniform(0.1, 0.35), feature_m=rng.uniform(10, 30), patch_m=rng.uniform(3, 12),
        road_width=rng.choice([0.0, 3.0, 5.0]), road_centre=rng.normal(0, 5), road_slant=rng.normal(0, 0.4),
    )  # fmt: skip
    quads = []
    for _ in range(rng.integers(2, 9)):
        y = rng.uniform(10, 70)
        quads += tree(rng, land, rng.normal(0, 0.5) * y, y, rng.uniform(2, 10))
    for _ in range(rng.integers(0, 4)):
        y = rng.uniform(18, 70)
        quads += house(rng, land, rng.normal(0, 0.5) * y, y)
    for _ in range(rng.integers(0, 4)):
        y = rng.uniform(8, 35)
        quads += fence(rng, land, rng.normal(0, 0.4) * y, y)
    for _ in range(rng.integers(0, 4)):
        y = rng.uniform(8, 40)
        quads += car(rng, land, rng.normal(0, 0.35) * y, y, rng.uniform(0, 3.1))
    return camera, land, _far_first(quads), rng.uniform(0.01, 0.1), 10.0


PLACES: dict[str, Callable[[np.random.Generator], Place]] = {
    "river": river, "street": street, "fields": fields, "quay": quay, "yard": yard,
}  # fmt: skip
SHARES = (0.24, 0.22, 0.2, 0.14, 0.2)


def tree(rng, land: Land, x: float, y: float, tall: float, pitch: float = 0.0) -> list[Quad]:
    """A tree, conifer, bush or bare tree that faces the camera."""
    kind = str(rng.choice(["tree", "tree", "tree", "conifer", "bush", "bare"]))
    tall = tall * 0.45 if kind == "bush" else tall
    wide = tall * {"tree": 0.95, "conifer": 0.6, "bush": 1.3, "bare": 0.9}[kind]
    tint = (0.55, 0.5, 0.45) if kind == "bare" else _tint(rng, LEAVES)
    lean = pitch if pitch > 0.5 else 0.0
    up = np.array([0, np.sin(lean), np.cos(lean)]) * tall
    ground = _ground(land, x, y) - 0.05
    side = np.array([y, -x, 0.0]) / np.hypot(x, y) * wide / 2
    low = np.array([x, y, ground])
    corners = np.array([low - side, low + side, low + side + up, low - side + up])
    return [Quad(corners=corners, texture=f"{kind}{rng.integers(8)}", tint=tint, shadow=True)]


def house(rng, land: Land, x: float, y: float, extent=None, turn: float | None = None) -> list[Quad]:
    """A house with windows, lit at night, under a flat or a pitched roof."""
    width, length, tall = extent or (rng.uniform(6, 14), rng.uniform(6, 14), rng.uniform(3, 8))
    turn = rng.uniform(0, 3.1) if turn is None else turn
    number, ground = rng.integers(8), _ground(land, x, y) - 0.3
    quads = box(_tint(rng, WALLS), (x, y, ground), (width, length, tall), turn, f"facade{number}", "plain0")
    lights = [
        Quad(corners=quad.corners, texture=f"windows{rng.integers(6)}", tint=(0.3, 0.3, 0.3), glow=0.9)
        for quad in quads[:-1]
    ]
    return quads[:-1] + lights + quads[-1:] if tall > 9 else quads[:-1] + lights + _gable(rng, quads)


def car(rng, land: Land, x: float, y: float, turn: float) -> list[Quad]:
    """A car, seen as its side."""
    along = np.array([np.cos(turn), np.sin(turn), 0]) * 2.1
    low = np.array([x, y, _ground(land, x, y)])
    corners = np.array([low - along, low + along, low + along + (0, 0, 1.45), low - along + (0, 0, 1.45)])
    return [Quad(corners=corners, texture=f"car{rng.integers(3)}", tint=_tint(rng, PAINTS), shadow=True)]


def fence(rng, land: Land, x: float, y: float) -> list[Quad]:
    """A run of fence panels."""
    turn, kind, tint = rng.normal(0, 0.5), rng.integers(6), _tint(rng, WALLS)
    step = np.array([np.cos(turn), np.sin(turn), 0]) * 2.5
    quads = []
    for i in range(rng.integers(2, 7)):
        low = np.array([x, y, 0]) + i * step
        if low[1] > 3:
            low[2] = _ground(land, low[0], low[1])
            corners = np.array([low, low + step, low + step + (0, 0, 1.1), low + (0, 0, 1.1)])
            quads.append(Quad(corners=corners, texture=f"fence{kind}", tint=tint, shadow=True))
    return quads


def lamp(rng, land: Land, x: float, y: float) -> list[Quad]:
    """A street lamp: a post and a light."""
    ground = _ground(land, x, y)
    post = np.array([(x - 0.07, y, ground), (x + 0.07, y, ground), (x + 0.07, y, ground + 5), (x - 0.07, y, ground + 5)])
    glow = np.array([(x - 0.5, y, ground + 4.6), (x + 0.5, y, ground + 4.6), (x + 0.5, y, ground + 5.6), (x - 0.5, y, ground + 5.6)])
    return [
        Quad(corners=post, texture="plain1", tint=(0.35, 0.36, 0.37)),
        Quad(corners=glow, texture="lamp0", tint=(0.3, 0.3, 0.3), glow=3.0),
    ]


def embankment(rng, x: float) -> list[Quad]:
    """A wall along the river, with a staff gauge on it now and then."""
    tint, kind, top = _tint(rng, WALLS), rng.integers(5), rng.uniform(0.8, 2.5)
    quads = []
    for y in np.arange(4.0, 80, 8):
        corners = np.array([(x, y, -3.0), (x, y + 8, -3.0), (x, y + 8, top), (x, y, top)])
        quads.append(Quad(corners=corners if x < 0 else corners[[1, 0, 3, 2]], texture=f"wall{kind}", tint=tint))
    return quads


def _gable(rng, quads: list[Quad]) -> list[Quad]:
    top = quads[-1].corners
    rise = np.linalg.norm(top[1] - top[0]) * rng.uniform(0.25, 0.45)
    ridge = [(top[0] + top[3]) / 2 + (0, 0, rise), (top[1] + top[2]) / 2 + (0, 0, rise)]
    tint, kind = _tint(rng, ROOFS), f"roof{rng.integers(4)}"
    slopes = [np.array([top[0], top[1], ridge[1], ridge[0]]), np.array([top[2], top[3], ridge[0], ridge[1]])]
    ends = [np.array([top[3], top[0], ridge[0], ridge[0]]), np.array([top[1], top[2], ridge[1], ridge[1]])]
    faces = [Quad(corners=c, texture=kind, tint=tint, shadow=True) for c in slopes]
    faces += [Quad(corners=c + 1e-3 * np.arange(4)[:, None], texture="plain2", tint=quads[0].tint) for c in ends]
    return sorted(faces, key=lambda quad: -quad.distance)


def _camera(rng, height, pitch, focal) -> Camera:
    return Camera(
        height=float(rng.uniform(*height)), pitch=float(rng.uniform(*pitch)),
        roll=float(rng.normal(0, 0.015)), focal=float(rng.uniform(*focal)),
    )  # fmt: skip


def _land(rng, *, bumps_m: float, feature_m: float, ground: tuple[int, int] | None = None, **given) -> Land:
    first, second = ground or rng.choice(len(GROUNDS), 2)
    settings = dict(
        tilt=(0.0, 0.0), valley_centre=0.0, valley_width=1.0, valley_depth=0.0, meander_m=0.0,
        patch_m=14.0, field_m=0.0, road_centre=0.0, road_width=0.0, road_slant=0.0,
        snow=float(rng.uniform(0.4, 1)) if rng.random() < 0.1 else 0.0, wet_road=bool(rng.random() < 0.4),
    )  # fmt: skip
    settings.update(given)
    return Land(
        offset=(float(rng.uniform(0, 5000)), float(rng.uniform(0, 5000))), bumps_m=bumps_m, feature_m=feature_m,
        first=_vary(rng, GROUNDS[first]), second=_vary(rng, GROUNDS[second]), **settings,
    )  # fmt: skip


def _ground(land: Land, x: float, y: float) -> float:
    return float(land.height(np.float32([[x]]), np.float32([[y]]))[0, 0])


def _tint(rng, colours) -> Colour:
    return _vary(rng, colours[rng.integers(len(colours))])


def _vary(rng, colour) -> Colour:
    gain = rng.normal(1, 0.1)
    return tuple(float(np.clip(c * gain * f, 0.02, 1)) for c, f in zip(colour, rng.normal(1, 0.05, 3), strict=True))


def _far_first(quads: list[Quad]) -> list[Quad]:
    return sorted(quads, key=lambda quad: -quad.distance)
