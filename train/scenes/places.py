"""The kinds of places a scene can show: a river, a street, fields from above, a quay, a yard."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from train.scenes.land import GROUNDS, Land
from train.scenes.objects import Quad
from train.scenes.things import (
    bridge,
    car,
    embankment,
    far_first,
    fence,
    hedge,
    house,
    lamp,
    tree,
    vary,
)
from train.scenes.view import Camera

Place = tuple[Camera, Land, list[Quad], float, float]


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
    for _ in range(rng.integers(0, 6)):
        y = rng.uniform(60, 220)
        x = (
            float(land.valley_axis(np.float64(y)))
            + rng.choice([-1, 1]) * rng.uniform(1.4, 3.5) * width
        )
        quads += hedge(rng, land, x, y, rng.uniform(15, 40), rng.uniform(4, 12))
    if rng.random() < 0.2:
        quads += bridge(rng, rng.uniform(35, 90), centre - 2 * width, centre + 2 * width)
    return camera, land, far_first(quads), rng.uniform(0.02, 0.12), 25.0


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
            quads += (
                lamp(rng, land, side * half * 0.85, y)
                if rng.random() < 0.7
                else tree(rng, land, side * half * 0.85, y, 5)
            )
    for _ in range(rng.integers(1, 7)):
        quads += car(
            rng, land, rng.choice([-1, 1]) * half * rng.uniform(0.3, 0.62), rng.uniform(7, 60), 1.57
        )
    return camera, land, far_first(quads), rng.uniform(0, 0.08), 12.0


def fields(rng: np.random.Generator) -> Place:
    """Fields, hedges and farms from the air."""
    camera = _camera(rng, height=(25, 90), pitch=(0.35, 1.1), focal=(0.8, 1.2))
    reach = camera.height / np.tan(camera.pitch)
    land = _land(
        rng, bumps_m=1.0, feature_m=rng.uniform(60, 160), field_m=rng.uniform(30, 80),
        road_width=float(rng.choice([0, 6.0, 8.0])), road_centre=rng.normal(0, 15),
        road_slant=rng.normal(0, 0.5),
        valley_depth=float(rng.choice([0.0, 1.5])), valley_width=rng.uniform(8, 20),
        valley_centre=rng.normal(0, 25),
        meander_m=20.0, patch_m=40.0,
    )  # fmt: skip
    quads = []
    for _ in range(rng.integers(5, 16)):
        x, y = rng.normal(0, reach * 0.6 + 15), reach * rng.uniform(0.35, 2.5) + 5
        for _ in range(rng.integers(1, 7)):
            quads += tree(
                rng,
                land,
                x + rng.normal(0, 6),
                y + rng.normal(0, 6),
                rng.uniform(4, 9),
                camera.pitch,
            )
    for _ in range(rng.integers(0, 6) if camera.pitch < 0.6 else 0):
        x, y = rng.normal(0, reach * 0.6 + 15), reach * rng.uniform(0.5, 2.5) + 5
        quads += hedge(rng, land, x, y, rng.uniform(15, 45), rng.uniform(2, 6), camera.pitch)
    for _ in range(rng.integers(0, 9)):
        quads += house(
            rng, land, rng.normal(0, reach * 0.5 + 12), reach * rng.uniform(0.4, 2.2) + 5
        )
    return camera, land, far_first(quads), rng.uniform(0, 0.06), float(reach)


def quay(rng: np.random.Generator) -> Place:
    """Down on a river from a bridge or a wall, with walls, piers and a staff gauge."""
    camera = _camera(rng, height=(5, 11), pitch=(0.2, 0.55), focal=(0.8, 1.2))
    width = rng.uniform(7, 14)
    centre = rng.uniform(-0.5, 0.5) * width
    land = _land(
        rng, bumps_m=0.3, feature_m=9.0, valley_centre=centre, valley_width=width, valley_depth=3.0,
        ground=(4, 7), patch_m=6.0, bank=(0.97, 1.0),
    )  # fmt: skip
    quads = []
    for side in (-1, 1):
        quads += embankment(rng, centre + side * width * 0.985, side)
        for _ in range(rng.integers(1, 7)):
            quads += house(
                rng, land, centre + side * width * rng.uniform(1.9, 3), rng.uniform(25, 110)
            )
        for _ in range(rng.integers(1, 6)):
            quads += tree(
                rng,
                land,
                centre + side * width * rng.uniform(1.3, 2.2),
                rng.uniform(15, 90),
                rng.uniform(4, 10),
            )
    if rng.random() < 0.4:
        quads += bridge(rng, rng.uniform(30, 80), centre - 1.3 * width, centre + 1.3 * width)
    for _ in range(rng.integers(0, 3)):
        quads += hedge(
            rng, land, centre + rng.choice([-1, 1]) * width * 2.5, rng.uniform(60, 150), 25, 9
        )
    return camera, land, far_first(quads), rng.uniform(0, 0.1), 12.0


def yard(rng: np.random.Generator) -> Place:
    """Flat open land: a yard, a park or a village green with fences, trees and puddles."""
    camera = _camera(rng, height=(1.6, 5.0), pitch=(0.1, 0.4), focal=(0.75, 1.2))
    land = _land(
        rng, bumps_m=rng.uniform(0.1, 0.35), feature_m=rng.uniform(10, 30),
        patch_m=rng.uniform(3, 12),
        road_width=float(rng.choice([0.0, 3.0, 5.0])), road_centre=rng.normal(0, 5),
        road_slant=rng.normal(0, 0.4),
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
    for _ in range(rng.integers(0, 5)):
        y = rng.uniform(35, 120)
        quads += hedge(rng, land, rng.normal(0, 0.5) * y, y, rng.uniform(15, 45), rng.uniform(2, 9))
    for _ in range(rng.integers(0, 4)):
        y = rng.uniform(8, 40)
        quads += car(rng, land, rng.normal(0, 0.35) * y, y, rng.uniform(0, 3.1))
    return camera, land, far_first(quads), rng.uniform(0.01, 0.1), 10.0


PLACES: dict[str, Callable[[np.random.Generator], Place]] = {
    "river": river, "street": street, "fields": fields, "quay": quay, "yard": yard,
}  # fmt: skip
SHARES = (0.24, 0.22, 0.2, 0.14, 0.2)


def _camera(rng, height, pitch, focal) -> Camera:
    return Camera(
        height=float(rng.uniform(*height)), pitch=float(rng.uniform(*pitch)),
        roll=float(rng.normal(0, 0.015)), focal=float(rng.uniform(*focal)),
    )  # fmt: skip


def _land(
    rng, *, bumps_m: float, feature_m: float, ground: tuple[int, int] | None = None, **given
) -> Land:
    first, second = ground or rng.choice(len(GROUNDS), 2)
    settings = dict(
        tilt=(0.0, 0.0), bank=(0.35, 1.3), valley_centre=0.0, valley_width=1.0, valley_depth=0.0,
        meander_m=0.0,
        patch_m=14.0, field_m=0.0, road_centre=0.0, road_width=0.0, road_slant=0.0,
        snow=float(rng.uniform(0.4, 1)) if rng.random() < 0.1 else 0.0,
        wet_road=bool(rng.random() < 0.4),
    )  # fmt: skip
    settings.update(given)
    return Land(
        offset=(float(rng.uniform(0, 5000)), float(rng.uniform(0, 5000))), bumps_m=bumps_m,
        feature_m=feature_m,
        first=vary(rng, GROUNDS[first]), second=vary(rng, GROUNDS[second]), **settings,
    )  # fmt: skip
