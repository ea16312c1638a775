from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.model_card.dry import CONDITIONS, measure_dry
from benchmarks.model_card.page import CARD, RESULTS, card, river
from benchmarks.model_card.rivers import measure_clips, measure_rivers
from benchmarks.model_card.scenes import measure_scenes
from benchmarks.model_card.still import FRAMES, measure_still, write_still
from runtime.errors import DataError
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
    for part in ("training", "learned_dry", "learned_also", "val", "water", "rivers", "clips"):
        found.pop(part, None)
    written = card(found)
    assert "and other photographs of lakes" in written and "**Water that" not in written
    assert "; other photographs without water" in written
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


def half_bright(size: tuple[int, int] = (32, 48)) -> np.ndarray:
    image = np.zeros((*size, 3), np.uint8)
    image[:, : size[1] // 2] = 220
    return image


def test_of_each_river_it_is_said_how_much_is_there_and_how_much_is_found() -> None:
    left, all_over = half_bright()[..., 0] > 0, np.ones((32, 48), np.bool_)
    frames = [Sample(image=half_bright(), mask=mask, name=name)
              for mask, name in ((left, "weir"), (all_over, "mouth"))]  # fmt: skip
    assert measure_rivers(bright(128), frames) == [
        {"name": "weir", "true": 0.5, "found": 0.5, "iou": 1.0},
        {"name": "mouth", "true": 1.0, "found": 0.5, "iou": 0.5},
    ]


def test_a_river_is_called_by_whose_camera_it_is_and_which() -> None:
    assert river("RIVeR-examples-data-frames-pisco-0000000000") == "RIVeR pisco"
    assert river("pyorc-docs-_images-Geul_GCPs") == "pyorc Geul_GCPs"


def test_a_film_is_a_folder_of_frames_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "brook").mkdir()
    for number, level in enumerate((1.0, 1.0, 0.0)):
        picture = (level * half_bright()).astype(np.uint8)
        Image.fromarray(picture).save(tmp_path / "brook" / f"{number}.png")
    write_still(tmp_path / "weir.mp4", half_bright((64, 96)), 1)
    found = measure_clips(bright(128), tmp_path)
    assert found["brook"] == {"frames": 3, "mean": 0.3333, "median": 0.25, "largest": 0.5}
    assert found["weir.mp4"]["frames"] == FRAMES
    assert abs(found["weir.mp4"]["mean"] - 0.5) < 0.02


@pytest.mark.parametrize("name", ["", "missing"])
def test_a_folder_without_films_is_one_clear_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="holds no films; wanted films, or folders"):
        measure_clips(bright(128), tmp_path / name)


def test_a_film_of_one_frame_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "brook").mkdir()
    Image.fromarray(half_bright()).save(tmp_path / "brook" / "0.png")
    with pytest.raises(DataError, match=r"brook has 1 frames; wanted at least two of a film"):
        measure_clips(bright(128), tmp_path)
