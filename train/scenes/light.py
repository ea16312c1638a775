"""What lights a scene: hour, weather, the sky with its clouds, and the camera's own faults."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from train.scenes.view import noise_tile, sample, smoothstep

Colour = tuple[float, float, float]

# hour: zenith, horizon, sunlight, ambient light, height of the sun, haze per metre, lamps
# fmt: off
HOURS: dict[str, tuple[Colour, Colour, Colour, Colour, float, float, float]] = {
    "noon": (
        (0.24, 0.46, 0.84), (0.74, 0.85, 0.95), (0.66, 0.63, 0.57), (0.42, 0.46, 0.5),
        0.95, 0.0012, 0,
    ),
    "morning": (
        (0.4, 0.55, 0.8), (0.92, 0.86, 0.76), (0.6, 0.5, 0.38), (0.38, 0.4, 0.44),
        0.4, 0.004, 0,
    ),
    "golden": (
        (0.36, 0.44, 0.66), (0.98, 0.74, 0.46), (0.68, 0.46, 0.24), (0.33, 0.3, 0.32),
        0.2, 0.003, 0,
    ),
    "overcast": (
        (0.6, 0.64, 0.69), (0.82, 0.84, 0.86), (0.05, 0.05, 0.05), (0.68, 0.69, 0.71),
        0.7, 0.003, 0,
    ),
    "storm": (
        (0.3, 0.33, 0.38), (0.56, 0.59, 0.61), (0.02, 0.02, 0.02), (0.5, 0.52, 0.55),
        0.6, 0.005, 0.3,
    ),
    "fog": (
        (0.7, 0.72, 0.74), (0.8, 0.81, 0.82), (0.02, 0.02, 0.02), (0.64, 0.65, 0.67),
        0.6, 0.025, 0.1,
    ),
    "dusk": (
        (0.16, 0.2, 0.38), (0.76, 0.46, 0.36), (0.06, 0.03, 0.02), (0.36, 0.33, 0.42),
        0.06, 0.003, 0.8,
    ),
    "night": (
        (0.03, 0.04, 0.08), (0.15, 0.14, 0.17), (0.0, 0.0, 0.0), (0.24, 0.26, 0.33),
        0.5, 0.003, 1.0,
    ),
}
# fmt: on
WARM = np.float32((1.0, 0.8, 0.5))
"""Colour of street lamps."""
HOUR_SHARES = (0.22, 0.1, 0.12, 0.24, 0.09, 0.07, 0.08, 0.08)


@dataclass(frozen=True, kw_only=True)
class Light:
    """Hour and weather of a scene and the faults of its camera. Colours are RGB, 0-1."""

    hour: str
    zenith: Colour
    horizon: Colour
    sun: Colour
    ambient: Colour
    sun_direction: tuple[float, float, float]
    haze: float
    lamps: float
    clouds: float
    cloud_offset: tuple[float, float]
    rain: float
    exposure: float
    contrast: float
    cast: Colour
    blur: float
    noise: float
    jpeg_quality: int


def choose_light(rng: np.random.Generator, far_m: float) -> Light:
    """A light for a scene that reaches about `far_m` metres."""
    hour = str(rng.choice(list(HOURS), p=HOUR_SHARES))
    zenith, horizon, sun, ambient, height, haze, lamps = HOURS[hour]
    azimuth, height = rng.uniform(-np.pi, np.pi), height * rng.uniform(0.75, 1.1)
    flat = np.sqrt(max(1 - height * height, 0.05))
    wet = {"storm": 0.7, "overcast": 0.25, "night": 0.2}.get(hour, 0.0)
    dark = hour in ("dusk", "night")
    return Light(
        hour=hour,
        zenith=_vary(rng, zenith),
        horizon=_vary(rng, horizon),
        sun=_vary(rng, sun),
        ambient=_vary(rng, ambient),
        sun_direction=(float(flat * np.sin(azimuth)), float(flat * np.cos(azimuth)), float(height)),
        haze=float(haze * rng.uniform(0.4, 1.8) * min(1.0, 60 / far_m)),
        lamps=float(lamps * rng.uniform(0.6, 1.3)),
        clouds=float(rng.uniform(0.0, 1.0)) if hour not in ("fog", "storm") else 1.0,
        cloud_offset=(float(rng.uniform(0, 9000)), float(rng.uniform(0, 9000))),
        rain=float(rng.uniform(0.3, 1)) if rng.random() < wet else 0.0,
        exposure=float(rng.uniform(0.8, 1.25)),
        contrast=float(rng.uniform(0.8, 1.2)),
        cast=tuple(float(c) for c in rng.normal(1, 0.025, 3)),
        blur=float(rng.choice([0.0, 0.45, 0.7, 1.1], p=[0.4, 0.3, 0.2, 0.1])),
        noise=float(rng.gamma(1.5, 0.006) + (0.015 if dark else 0)),
        jpeg_quality=int(rng.integers(45, 97)),
    )


def background(
    light: Light, rays: tuple[np.ndarray, ...], skyline: float, time_s: float
) -> np.ndarray:
    """Sky, sun, clouds and far hills in every direction, (h, w, 3) float32.

    Directions below the horizon give what still water would mirror, so one picture serves both.
    """
    x, y, z = rays[0], rays[1], np.abs(rays[2])
    up = np.sqrt(np.clip(z, 0, 1))[..., None]
    sky = np.float32(light.horizon) * (1 - up) + np.float32(light.zenith) * up
    reach = 900 / (z + 0.12)
    east, north = x * reach + light.cloud_offset[0] + 9 * time_s, y * reach + light.cloud_offset[1]
    density = 0.7 * sample(noise_tile(1), east, north, 900.0) + 0.35 * sample(
        noise_tile(2), east, north, 260.0
    )
    cover = smoothstep(1.1 - 1.6 * light.clouds, 2.0 - 1.2 * light.clouds, density)
    lit = np.float32(light.ambient) * 1.1 + np.float32(light.sun) * 0.55
    shade = (0.9 - 0.13 * density)[..., None]
    cover = (cover * smoothstep(0.0, 0.12, z) * 0.85)[..., None]
    sky = sky * (1 - cover) + lit * shade * cover
    toward = x * light.sun_direction[0] + y * light.sun_direction[1] + z * light.sun_direction[2]
    toward = np.clip(toward, 0, 1)[..., None]
    sky += np.float32(light.sun) * (
        0.35 * np.exp(12 * (toward - 1)) + 3.0 * (1 - 0.8 * cover) * np.exp(900 * (toward - 1))
    )
    return _hills(sky, light, x, y, z, skyline)


def _hills(sky: np.ndarray, light: Light, x, y, z, skyline: float) -> np.ndarray:
    """Two ranges of hills or woods on the horizon, hazier the farther."""
    rows = np.flatnonzero(z.min(axis=1) < 1.7 * skyline)
    if rows.size == 0:
        return sky
    band = slice(rows[0], rows[-1] + 1)
    azimuth, z = np.arctan2(x[band], y[band]) * 400, z[band]
    haze = np.float32(light.horizon)
    for layer, (height, veil) in enumerate(((1.0, 0.72), (0.55, 0.45))):
        ridge = 0.6 + 0.3 * sample(
            noise_tile(4 + layer), azimuth + 500 * skyline * 100, azimuth * 0, 90.0
        )
        edge = smoothstep(-0.004, 0.004, ridge * skyline * height - z)[..., None]
        grain = 1 + 0.12 * sample(noise_tile(0), azimuth, z * 900, 14.0)[..., None]
        colour = (
            np.float32((0.24, 0.3, 0.2))
            * grain
            * (np.float32(light.ambient) + 0.5 * np.float32(light.sun))
        )
        sky[band] = sky[band] * (1 - edge) + edge * (colour * (1 - veil) + haze * veil)
    return sky


def photograph(radiance: np.ndarray, light: Light, rng: np.random.Generator) -> np.ndarray:
    """The picture a real camera makes of radiance: bloom, exposure, rain, softness, noise, JPEG.

    Takes (h, w, 3) float32, gives uint8 RGB.
    """
    height, width = radiance.shape[:2]
    picture = np.maximum(radiance, 0, dtype=np.float32)
    if light.lamps > 0 or light.sun[0] > 0.3:
        bright = cv2.resize(
            np.clip(picture - 0.85, 0, 3),
            (width // 4 + 1, height // 4 + 1),
            interpolation=cv2.INTER_AREA,
        )
        bloom = cv2.GaussianBlur(bright, (0, 0), max(height, width) / 90)
        picture += 0.7 * cv2.resize(bloom, (width, height))
    if light.rain > 0:
        picture = _rain(picture, light, rng)
    picture *= np.float32(light.exposure) * np.float32(light.cast)
    picture = 0.45 + (picture - 0.45) * np.float32(light.contrast) if light.lamps < 0.4 else picture
    bright = picture > 0.8
    picture = np.where(bright, 1 - 0.2 * np.exp(-(picture - 0.8) * 5), picture)
    scale = np.sqrt(height * width) / 224
    if light.blur > 0:
        picture = cv2.GaussianBlur(picture, (0, 0), light.blur * scale)
    grain = rng.standard_normal((height, width, 3), dtype=np.float32)
    picture += grain * light.noise * (0.5 + np.sqrt(np.clip(picture, 0, 1)))
    pixels = np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)
    _, jpeg = cv2.imencode(
        ".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, light.jpeg_quality]
    )
    return np.ascontiguousarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR)[..., ::-1])


def _rain(picture: np.ndarray, light: Light, rng: np.random.Generator) -> np.ndarray:
    height, width = picture.shape[:2]
    streaks = np.zeros((height, width), np.uint8)
    count = int(90 * light.rain * np.sqrt(height * width) / 224) + 20
    slant = rng.normal(0, 0.2)
    for x, y, length in zip(
        rng.uniform(0, width, count), rng.uniform(-0.1, 1, count) * height,
        rng.uniform(0.03, 0.1, count) * height, strict=True,
    ):  # fmt: skip
        end = (int(x + slant * length), int(y + length))
        cv2.line(streaks, (int(x), int(y)), end, int(rng.integers(30, 110)), 1, cv2.LINE_AA)
    veil = (streaks.astype(np.float32) / 255)[..., None]
    tone = np.float32(light.horizon) * 0.8 + 0.15
    return picture * (1 - veil) + tone * veil


def _vary(rng: np.random.Generator, colour: Colour) -> Colour:
    gain = rng.normal(1, 0.1)
    return tuple(
        float(max(c * gain * f, 0)) for c, f in zip(colour, rng.normal(1, 0.025, 3), strict=True)
    )
