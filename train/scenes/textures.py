"""Faces of houses, trees, cars and fences: small RGBA pictures painted once per process."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from train.scenes.view import noise_tile

SIDE = 128


def texture(name: str, span_px: float) -> np.ndarray:
    """The RGBA uint8 picture `name` (kind and number, as `tree3`) at the size that suits `span_px`.

    Colours are multiplied by alpha already.
    """
    level = int(np.clip(np.floor(np.log2(max(SIDE / max(span_px, 1.0), 1.0))), 0, 4))
    return _pyramid(name)[level]


@functools.cache
def _pyramid(name: str) -> list[np.ndarray]:
    kind, number = name.rstrip("0123456789"), int(name.lstrip("abcdefghijklmnopqrstuvwxyz_") or 0)
    family = "facade" if kind == "windows" else kind
    rng = np.random.default_rng([11, number, *family.encode()])
    picture = np.clip(PAINTERS[kind](rng), 0, 1)
    picture[..., :3] *= picture[..., 3:]
    levels = [picture]
    for _ in range(4):
        levels.append(cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    return [(level * 255 + 0.5).astype(np.uint8) for level in levels]


def _sheet(rng: np.random.Generator, tone: float, grain: float) -> np.ndarray:
    """An opaque grey sheet with the stains of noise."""
    shift = rng.integers(0, 256, 2)
    stains = np.roll(noise_tile(int(rng.integers(0, 7))), shift, (0, 1))[:SIDE, :SIDE]
    grey = tone * (1 + grain * stains + 0.3 * grain * rng.standard_normal((SIDE, SIDE)))
    return np.dstack([grey, grey, grey, np.ones_like(grey)]).astype(np.float32)


def _plain(rng: np.random.Generator) -> np.ndarray:
    return _sheet(rng, 0.8, 0.06)


def _panes(rng: np.random.Generator) -> list[tuple[int, int, int, int]]:
    """Left, top, right and bottom of each window of a facade."""
    columns, storeys = int(rng.integers(2, 6)), int(rng.integers(2, 5))
    width, height = SIDE / columns, SIDE / storeys
    inset, lintel = rng.uniform(0.18, 0.32), rng.uniform(0.2, 0.3)
    return [
        (
            int((column + inset) * width),
            int((storey + lintel) * height),
            int((column + 1 - inset) * width),
            int((storey + 1 - lintel * 0.8) * height),
        )
        for storey in range(storeys)
        for column in range(columns)
    ]


def _facade(rng: np.random.Generator) -> np.ndarray:
    """A wall with storeys of windows, sometimes of bricks."""
    panes = _panes(rng)
    wall = _sheet(rng, 0.85, 0.06)
    if rng.random() < 0.4:
        wall[::4, :, :3] *= 0.88
    frame, glass = (0.95, 0.95, 0.95, 1), np.float32((1, 1.1, 1.25))
    for left, top, right, bottom in panes:
        cv2.rectangle(wall, (left - 2, top - 2), (right + 2, bottom + 2), frame, -1)
        tone = (rng.uniform(0.1, 0.35) * glass).tolist()
        cv2.rectangle(wall, (left, top), (right, bottom), (*tone, 1), -1)
        middle = (left + right) // 2
        cv2.line(wall, (middle, top), (middle, bottom), frame, 1)
    wall[-int(SIDE * 0.05) :, :, :3] *= 0.6
    return wall


def _windows(rng: np.random.Generator) -> np.ndarray:
    """Only the lit windows of the facade of the same number, transparent between."""
    sheet = np.zeros((SIDE, SIDE, 4), np.float32)
    for left, top, right, bottom in _panes(rng):
        if rng.random() < 0.45:
            tone = rng.uniform(0.6, 1)
            lit = (tone, tone * 0.78, tone * 0.45, 1)
            cv2.rectangle(sheet, (left, top), (right, bottom), lit, -1)
    return sheet


def _roof(rng: np.random.Generator) -> np.ndarray:
    roof = _sheet(rng, 0.8, 0.08)
    roof[::6, :, :3] *= 0.8
    return roof


def _crown(
    rng: np.random.Generator, blobs: list[tuple[float, float, float]], dabs: int = 480
) -> np.ndarray:
    """Leaves: many small dabs inside the given circles (x, y, radius), lit from above."""
    tree = np.zeros((SIDE, SIDE, 4), np.float32)
    for _ in range(dabs):
        x, y, radius = blobs[rng.integers(len(blobs))]
        angle, reach = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform())
        px, py = x + radius * reach * np.cos(angle), y + radius * reach * np.sin(angle)
        tone = 0.55 + 0.45 * (0.5 - (py - y) / radius / 2) + rng.normal(0, 0.13)
        tone -= 0.25 * (py - 0.35)
        colour = (tone, tone * rng.uniform(0.95, 1.05), tone * 0.9, 1)
        cv2.circle(tree, (int(px * SIDE), int(py * SIDE)), int(rng.integers(2, 6)), colour, -1)
    return tree


def _trunk(tree: np.ndarray, top: float, half_width: float) -> np.ndarray:
    under = np.zeros_like(tree)
    middle = SIDE // 2
    spread = max(int(half_width * SIDE), 1)
    cv2.rectangle(
        under, (middle - spread, int(top * SIDE)), (middle + spread, SIDE), (0.5, 0.42, 0.36, 1), -1
    )
    alpha = tree[..., 3:]
    return tree * alpha + under * (1 - alpha)


def _tree(rng: np.random.Generator) -> np.ndarray:
    blobs = [
        (rng.uniform(0.28, 0.72), rng.uniform(0.22, 0.55), rng.uniform(0.13, 0.24))
        for _ in range(7)
    ]
    return _trunk(_crown(rng, blobs), 0.5, rng.uniform(0.015, 0.035))


def _bush(rng: np.random.Generator) -> np.ndarray:
    blobs = [
        (rng.uniform(0.2, 0.8), rng.uniform(0.55, 0.8), rng.uniform(0.15, 0.24)) for _ in range(7)
    ]
    bush = _crown(rng, blobs)
    bush[-3:] = bush[-4]
    return bush


def _hedge(rng: np.random.Generator) -> np.ndarray:
    """A row of crowns, seen from afar."""
    blobs = [
        (x, rng.uniform(0.35, 0.7), rng.uniform(0.05, 0.13))
        for x in np.linspace(0.08, 0.92, 20)
        for _ in range(2)
    ]
    hedge = _crown(rng, [*blobs, *((x, 0.88, 0.1) for x in np.linspace(0.05, 0.95, 16))], 1500)
    hedge[-6:] = hedge[-7]
    return hedge


def _carback(rng: np.random.Generator) -> np.ndarray:
    """A car from behind: window, lights, number plate, tyres."""
    car = np.zeros((SIDE, SIDE, 4), np.float32)
    for points, colour in (
        ([(0.14, 0.95), (0.14, 0.8), (0.28, 0.8), (0.28, 0.95)], (0.06, 0.06, 0.06, 1)),
        ([(0.72, 0.95), (0.72, 0.8), (0.86, 0.8), (0.86, 0.95)], (0.06, 0.06, 0.06, 1)),
        (
            [(0.05, 0.86), (0.05, 0.45), (0.2, 0.1), (0.8, 0.1), (0.95, 0.45), (0.95, 0.86)],
            (0.8, 0.8, 0.8, 1),
        ),
        ([(0.15, 0.43), (0.25, 0.16), (0.75, 0.16), (0.85, 0.43)], (0.13, 0.15, 0.18, 1)),
        ([(0.08, 0.6), (0.08, 0.5), (0.22, 0.5), (0.22, 0.6)], (0.9, 0.15, 0.1, 1)),
        ([(0.78, 0.6), (0.78, 0.5), (0.92, 0.5), (0.92, 0.6)], (0.9, 0.15, 0.1, 1)),
        ([(0.4, 0.68), (0.4, 0.6), (0.6, 0.6), (0.6, 0.68)], (0.95, 0.95, 0.85, 1)),
    ):
        cv2.fillPoly(car, [(np.array(points) * SIDE).astype(np.int32)], colour)
    return car


def _conifer(rng: np.random.Generator) -> np.ndarray:
    blobs = []
    for t in np.linspace(0.08, 0.88, 9):
        blobs += [(0.5 + s * t * 0.2, t, 0.04 + 0.16 * t) for s in (-1, 0, 1)]
    return _trunk(_crown(rng, blobs), 0.8, 0.02)


def _bare(rng: np.random.Generator) -> np.ndarray:
    """A leafless tree: branches that fork."""
    tree = np.zeros((SIDE, SIDE, 4), np.float32)
    branches = [(SIDE / 2, SIDE * 1.0, -np.pi / 2, SIDE * 0.3, 5)]
    while branches:
        x, y, angle, length, thick = branches.pop()
        end = x + length * np.cos(angle), y + length * np.sin(angle)
        tone = rng.uniform(0.4, 0.6)
        cv2.line(
            tree,
            (int(x), int(y)),
            (int(end[0]), int(end[1])),
            (tone, tone * 0.9, tone * 0.8, 1),
            max(thick, 1),
        )
        if thick > 0:
            for _ in range(3):
                branches.append(
                    (*end, angle + rng.normal(0, 0.5), length * rng.uniform(0.6, 0.8), thick - 1)
                )
    return tree


def _car(rng: np.random.Generator) -> np.ndarray:
    """A car's side: body, dark windows, wheels."""
    car = np.zeros((SIDE, SIDE, 4), np.float32)
    outline = [
        (0.02, 0.85),
        (0.02, 0.5),
        (0.12, 0.42),
        (0.22, 0.1),
        (0.93, 0.1),
        (0.98, 0.45),
        (0.98, 0.85),
    ]
    cv2.fillPoly(car, [(np.array(outline) * SIDE).astype(np.int32)], (0.8, 0.8, 0.8, 1))
    for pane in (
        [(0.24, 0.44), (0.34, 0.18), (0.48, 0.17), (0.48, 0.44)],
        [(0.52, 0.44), (0.52, 0.17), (0.67, 0.17), (0.79, 0.44)],
    ):
        cv2.fillPoly(car, [(np.array(pane) * SIDE).astype(np.int32)], (0.12, 0.14, 0.17, 1))
    car[int(0.7 * SIDE) : int(0.73 * SIDE), :, :3] *= 0.6
    for x in (0.22, 0.78):
        cv2.ellipse(
            car,
            (int(x * SIDE), int(0.84 * SIDE)),
            (int(0.085 * SIDE), int(0.16 * SIDE)),
            0,
            0,
            360,
            (0.06, 0.06, 0.06, 1),
            -1,
        )
    car[..., :3] *= 1 + 0.05 * rng.standard_normal((SIDE, SIDE, 1))
    return car


def _fence(rng: np.random.Generator) -> np.ndarray:
    """Posts and rails, or pickets, with air between."""
    fence = np.zeros((SIDE, SIDE, 4), np.float32)
    step = int(rng.choice([8, 12, 32]))
    for x in range(0, SIDE, step):
        tone = rng.uniform(0.6, 0.9)
        fence[:, x : x + max(step // 3, 3)] = (tone, tone * 0.97, tone * 0.92, 1)
    for y in (0.15, 0.5, 0.8):
        fence[int(y * SIDE) : int(y * SIDE) + 7] = (0.7, 0.68, 0.64, 1)
    return fence


def _wall(rng: np.random.Generator) -> np.ndarray:
    """Concrete or masonry with courses, joints and a dark tide line below."""
    wall = _sheet(rng, 0.78, 0.1)
    course = int(rng.choice([8, 16, 32]))
    wall[::course, :, :3] *= 0.78
    for row in range(0, SIDE, course):
        wall[row : row + course, (row // course % 2) * course :: course * 2, :3] *= 0.85
    fade = np.linspace(0, 1, SIDE, dtype=np.float32)[:, None, None]
    wall[..., :3] *= 1 - 0.45 * np.clip(fade - 0.4, 0, 1)
    return wall


def _gauge(rng: np.random.Generator) -> np.ndarray:
    """A staff gauge: black and white divisions."""
    staff = _sheet(rng, 0.95, 0.02)
    for i in range(0, SIDE, 16):
        staff[i : i + 8, : SIDE // 2, :3] *= 0.08
        staff[i + 8 : i + 16, SIDE // 2 :, :3] *= 0.08
    return staff


def _lamp(rng: np.random.Generator) -> np.ndarray:
    """A round glow, brightest in the middle."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    glow = np.clip(1.15 - np.hypot(x, y), 0, 1) ** 2
    return np.dstack([glow * 0 + 1, glow * 0 + 0.85, glow * 0 + 0.6, glow]).astype(np.float32)


PAINTERS = {
    "plain": _plain, "facade": _facade, "windows": _windows, "roof": _roof, "tree": _tree,
    "bush": _bush, "conifer": _conifer, "bare": _bare, "car": _car, "fence": _fence,
    "wall": _wall, "hedge": _hedge, "carback": _carback, "gauge": _gauge, "lamp": _lamp,
}  # fmt: skip
