"""What can stand in a scene: trees, houses, cars, fences, lamps, walls and bridges."""

from __future__ import annotations

import numpy as np

from train.scenes.land import Land
from train.scenes.objects import Colour, Quad, box

WALLS: tuple[Colour, ...] = (
    (0.85, 0.8, 0.7), (0.7, 0.42, 0.32), (0.8, 0.75, 0.5), (0.6, 0.62, 0.64), (0.9, 0.9, 0.88),
    (0.55, 0.65, 0.72), (0.72, 0.55, 0.42), (0.6, 0.68, 0.55), (0.86, 0.66, 0.55),
)  # fmt: skip
ROOFS: tuple[Colour, ...] = (
    (0.6, 0.3, 0.22),
    (0.35, 0.34, 0.35),
    (0.5, 0.42, 0.36),
    (0.42, 0.5, 0.6),
)
LEAVES: tuple[Colour, ...] = (
    (0.26, 0.4, 0.14), (0.34, 0.46, 0.2), (0.2, 0.32, 0.14), (0.45, 0.45, 0.18), (0.55, 0.38, 0.16),
)  # fmt: skip
PAINTS: tuple[Colour, ...] = (
    (0.8, 0.8, 0.82), (0.15, 0.15, 0.17), (0.6, 0.1, 0.1), (0.15, 0.25, 0.5), (0.45, 0.47, 0.5),
    (0.7, 0.65, 0.5),
)  # fmt: skip


def tree(rng, land: Land, x: float, y: float, tall: float, pitch: float = 0.0) -> list[Quad]:
    """A tree, conifer, bush or bare tree that faces the camera."""
    kind = str(rng.choice(["tree", "tree", "tree", "conifer", "bush", "bare"]))
    tall = tall * 0.45 if kind == "bush" else tall
    wide = tall * {"tree": 0.95, "conifer": 0.6, "bush": 1.3, "bare": 0.9}[kind]
    tint = (0.55, 0.5, 0.45) if kind == "bare" else _tint(rng, LEAVES)
    up = _upwards(tall, pitch)
    ground = _ground(land, x, y) - 0.05
    side = np.array([y, -x, 0.0]) / np.hypot(x, y) * wide / 2
    low = np.array([x, y, ground])
    corners = np.array([low - side, low + side, low + side + up, low - side + up])
    return [Quad(corners=corners, texture=f"{kind}{rng.integers(8)}", tint=tint, shadow=True)]


def house(
    rng, land: Land, x: float, y: float, extent=None, turn: float | None = None
) -> list[Quad]:
    """A house with windows, lit at night, under a flat or a pitched roof."""
    width, length, tall = extent or (rng.uniform(6, 14), rng.uniform(6, 14), rng.uniform(3, 8))
    turn = rng.uniform(0, 3.1) if turn is None else turn
    number, ground = rng.integers(8), _ground(land, x, y) - 0.3
    quads = box(
        _tint(rng, WALLS), (x, y, ground), (width, length, tall), turn, f"facade{number}", "plain0"
    )
    lights = [
        Quad(
            corners=quad.corners,
            texture=f"windows{number}",
            tint=(0.3, 0.3, 0.3),
            glow=0.9,
        )
        for quad in quads[:-1]
    ]
    return (
        quads[:-1] + lights + quads[-1:] if tall > 9 else quads[:-1] + lights + _gable(rng, quads)
    )


def car(rng, land: Land, x: float, y: float, turn: float) -> list[Quad]:
    """A car: both sides, front, back and roof."""
    along = np.array([np.cos(turn), np.sin(turn), 0.0]) * 2.1
    across = np.array([-np.sin(turn), np.cos(turn), 0.0]) * 0.85
    foot = np.array([x, y, _ground(land, x, y)])
    rise = np.array([0, 0, 1.45])
    tint, number = _tint(rng, PAINTS), rng.integers(3)
    sides = [
        (foot + s * across - s * along, foot + s * across + s * along, f"car{number}")
        for s in (-1, 1)
    ]
    ends = [(foot + s * along - across, foot + s * along + across, "carback0") for s in (-1, 1)]
    quads = [
        Quad(corners=np.array([a, b, b + rise, a + rise]), texture=name, tint=tint, shadow=True)
        for a, b, name in (*sides, *ends)
    ]
    top = foot + rise * 0.97
    roof = np.array(
        [
            top - across * 0.9 - along * 0.4,
            top + across * 0.9 - along * 0.4,
            top + across * 0.9 + along * 0.4,
            top - across * 0.9 + along * 0.4,
        ]
    )
    return [*far_first(quads), Quad(corners=roof, texture="plain0", tint=tint)]


def hedge(
    rng, land: Land, x: float, y: float, long: float, tall: float, pitch: float = 0.0
) -> list[Quad]:
    """A row of trees or a hedge across the view."""
    lean = rng.normal(0, 0.25) * long / 2
    ends = [(x - long / 2, max(y - lean, 6.0)), (x + long / 2, max(y + lean, 6.0))]
    low = np.array([(px, py, _ground(land, px, py) - 0.3) for px, py in ends])
    low[:, 2] = low[:, 2].min()
    up = _upwards(tall, pitch)
    corners = np.array([low[0], low[1], low[1] + up, low[0] + up])
    return [
        Quad(
            corners=corners, texture=f"hedge{rng.integers(6)}", tint=_tint(rng, LEAVES), shadow=True
        )
    ]


def bridge(rng, y: float, left: float, right: float) -> list[Quad]:
    """A bridge across the view on piers, between x `left` and `right`."""
    tint, deck = _tint(rng, WALLS), rng.uniform(1.5, 3.5)
    spans = np.linspace(left, right, int(rng.integers(3, 7)))
    quads = [
        Quad(
            corners=np.array(
                [(x - 0.5, y, -4), (x + 0.5, y, -4), (x + 0.5, y, deck), (x - 0.5, y, deck)]
            ),
            texture="wall1",
            tint=tint,
        )
        for x in spans
    ]
    face = np.array(
        [
            (left, y - 0.5, deck),
            (right, y - 0.5, deck),
            (right, y - 0.5, deck + 1),
            (left, y - 0.5, deck + 1),
        ]
    )
    return [*quads, Quad(corners=face, texture="wall2", tint=tint, shadow=True)]


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
    post = np.array(
        [
            (x - 0.07, y, ground),
            (x + 0.07, y, ground),
            (x + 0.07, y, ground + 5),
            (x - 0.07, y, ground + 5),
        ]
    )
    glow = np.array(
        [
            (x - 0.5, y, ground + 4.6),
            (x + 0.5, y, ground + 4.6),
            (x + 0.5, y, ground + 5.6),
            (x - 0.5, y, ground + 5.6),
        ]
    )
    return [
        Quad(corners=post, texture="plain1", tint=(0.35, 0.36, 0.37)),
        Quad(corners=glow, texture="lamp0", tint=(0.3, 0.3, 0.3), glow=3.0),
    ]


def embankment(rng, x: float, side: int) -> list[Quad]:
    """A wall along the river, with a staff gauge on it now and then."""
    tint, kind, top = _tint(rng, WALLS), rng.integers(5), rng.uniform(0.0, 1.1)
    quads = []
    for y in np.arange(4.0, 80, 8):
        corners = np.array([(x, y, -4.0), (x, y + 8, -4.0), (x, y + 8, top), (x, y, top)])
        quads.append(
            Quad(
                corners=corners if side < 0 else corners[[1, 0, 3, 2]],
                texture=f"wall{kind}",
                tint=tint,
            )
        )
    return quads


def _upwards(tall: float, pitch: float) -> np.ndarray:
    """Where the top of a tree's picture goes: upright, or toward a camera that looks down on it."""
    lean = pitch if pitch > 0.5 else 0.0
    return np.array([0, np.sin(lean), np.cos(lean)]) * tall


def _gable(rng, quads: list[Quad]) -> list[Quad]:
    top = quads[-1].corners
    rise = np.linalg.norm(top[1] - top[0]) * rng.uniform(0.25, 0.45)
    ridge = [(top[0] + top[3]) / 2 + (0, 0, rise), (top[1] + top[2]) / 2 + (0, 0, rise)]
    tint, kind = _tint(rng, ROOFS), f"roof{rng.integers(4)}"
    slopes = [
        np.array([top[0], top[1], ridge[1], ridge[0]]),
        np.array([top[2], top[3], ridge[0], ridge[1]]),
    ]
    ends = [
        np.array([top[3], top[0], ridge[0], ridge[0]]),
        np.array([top[1], top[2], ridge[1], ridge[1]]),
    ]
    faces = [Quad(corners=c, texture=kind, tint=tint, shadow=True) for c in slopes]
    faces += [
        Quad(corners=c + 1e-3 * np.arange(4)[:, None], texture="plain2", tint=quads[0].tint)
        for c in ends
    ]
    return sorted(faces, key=lambda quad: -quad.distance)


def _ground(land: Land, x: float, y: float) -> float:
    return float(land.height(np.float32([[x]]), np.float32([[y]]))[0, 0])


def _tint(rng, colours) -> Colour:
    return vary(rng, colours[rng.integers(len(colours))])


def vary(rng, colour) -> Colour:
    gain = rng.normal(1, 0.1)
    return tuple(
        float(np.clip(c * gain * f, 0.02, 1))
        for c, f in zip(colour, rng.normal(1, 0.05, 3), strict=True)
    )


def far_first(quads: list[Quad]) -> list[Quad]:
    return sorted(quads, key=lambda quad: -quad.distance)
