from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.model_card.dry import CONDITIONS, measure_dry
from benchmarks.model_card.page import CARD, RESULTS, card
from benchmarks.model_card.scenes import measure_scenes
from benchmarks.model_card.still import FRAMES, measure_still, write_still
from runtime.manifest_file import read_manifest
from runtime.model import Model
from runtime.shipped import shipped_model
from runtime.sources import open_source
from tests.runtime.models import manifest_of
from train.samples import Sample


class BrightIsWater:
    """Water wherever the green channel is above a level."""

    name = "bright"

    def __init__(self, level: int) -> None:
        self._level = level

    def infer(self, inputs: np.ndarray) -> np.ndarray:
        logits = np.where(inputs[..., 1] > self._level, np.float32(4), np.float32(-4))
        return logits[:, np.newaxis]

    def __enter__(self) -> BrightIsWater:
        return self

    def __exit__(self, *_: object) -> None:
        return None


def bright(level: int) -> Model:
    return Model(manifest_of((32, 48)), BrightIsWater(level))


def test_the_card_is_what_was_measured_of_the_very_model_that_ships() -> None:
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert card(found) == CARD.read_text(encoding="utf-8")
    shipped = read_manifest(shipped_model()).provenance.checkpoint_sha256
    assert found["checkpoint_sha256"] == shipped
    assert found["bytes"] == shipped_model().stat().st_size


def test_a_card_of_which_nothing_but_the_model_is_known_is_written_too() -> None:
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    for part in ("training", "learned_dry", "learned_also", "val", "water"):
        found.pop(part, None)
    written = card(found)
    assert "and other photographs of lakes" in written and "**Water that" not in written
    assert "and other photographs without water" in written
    assert "| teacher |" not in written and "| Dice |" not in written


def test_false_water_is_counted_in_every_weather(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.model_card.dry.SCENES", 2)
    half = np.zeros((40, 60, 3), np.uint8)
    half[:, :30] = 220
    folders = [tmp_path / name for name in ("photographs", "streets")]
    for folder, picture in zip(folders, (half, half * 0), strict=True):
        folder.mkdir()
        for name, shown in (("half", picture), ("dark", half * 0)):
            Image.fromarray(shown).save(folder / f"{name}.png")
    found = measure_dry(bright(128), folders)
    assert len(found) == 3 * len(CONDITIONS)
    assert found["streets, as it is"]["above"] == 0
    plain = found["photographs, as it is"]
    assert plain == {"pictures": 2, "mean": 0.25, "largest": 0.5, "above": 1}
    assert found["generated scenes, as it is"]["pictures"] == 2


def test_a_still_film_is_steady_for_a_model_that_sees_nothing_in_noise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = np.full((96, 128, 3), 60, np.uint8)
    picture[:48] = 200
    write_still(tmp_path / "film.mp4", picture, seed=1)
    with open_source(str(tmp_path / "film.mp4")) as source:
        frames = [frame.image for frame in source]
    assert len(frames) == FRAMES
    assert any((frames[0] != frame).any() for frame in frames[1:])
    monkeypatch.setattr("benchmarks.model_card.still.SCENES", 1)
    monkeypatch.setattr("benchmarks.model_card.still.SIZE", (96, 128))
    steady = measure_still(bright(255), None)
    assert list(steady) == ["generated scenes"]
    assert steady["generated scenes"]["largest"] == steady["generated scenes"]["above"] == 0
    odd = Sample(image=picture[:95, :127], mask=np.zeros((95, 127), bool), name="odd")
    found = measure_still(bright(60), [odd])
    assert found["photographs"]["scenes"] == 1
    assert found["photographs"]["largest"] > 0


def test_the_worst_scenes_are_drawn_and_each_light_is_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.model_card.scenes.EACH", 1)
    monkeypatch.setattr("benchmarks.model_card.scenes.SEARCHED", 40)
    monkeypatch.setattr("benchmarks.model_card.scenes.SIZE", (48, 64))
    found = measure_scenes(bright(0), tmp_path / "worst.png")
    assert {"noon", "overcast"} <= set(found)
    assert all(row["scenes"] == 1 and 0 <= row["iou"] <= 1 for row in found.values())
    with Image.open(tmp_path / "worst.png") as drawn:
        assert drawn.width > 300
