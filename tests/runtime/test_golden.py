"""Golden frames: written small, read strictly, and wrong masks noticed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from runtime.errors import ManifestError, ParityError
from runtime.golden import Golden, check_golden, golden_path, read_golden, write_golden
from runtime.model import load_model
from tests.runtime.conftest import scene
from tests.runtime.models import SIZE, manifest_of, write_model


def golden_of(frames: int = 8, size: tuple[int, int] = (48, 64)) -> Golden:
    """Red land above blue water, as the tiny model sees it."""
    waters = [0.25 + 0.5 * number / frames for number in range(frames)]
    masks = np.zeros((frames, *size), bool)
    for mask, water in zip(masks, waters, strict=True):
        mask[round(size[0] * (1 - water)) :] = True
    return Golden(
        frames=np.stack([scene(size, water) for water in waters]),
        masks=masks,
        checkpoint_sha256="0" * 64,
        input_size=SIZE,
    )


@pytest.fixture
def artefact(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model.onnx", manifest=manifest_of(precision="int8"))


def test_golden_frames_come_back_as_they_were_written(artefact: Path) -> None:
    golden = golden_of()
    path = write_golden(golden, artefact)
    assert path == golden_path(artefact) == artefact.with_name("model.onnx.golden.npz")
    assert path.stat().st_size < 300_000
    read = read_golden(artefact, manifest_of())
    assert read is not None
    np.testing.assert_array_equal(read.frames, golden.frames)
    np.testing.assert_array_equal(read.masks, golden.masks)


def test_no_golden_frames_is_none(artefact: Path) -> None:
    assert read_golden(artefact, manifest_of()) is None


def test_golden_frames_that_weigh_too_much_are_not_written(artefact: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (8, 240, 320, 3), np.uint8)
    golden = dataclasses.replace(golden_of(size=(240, 320)), frames=noise)
    with pytest.raises(ParityError, match=r"too many to travel with a model, wanted at most"):
        write_golden(golden, artefact)
    assert not golden_path(artefact).exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"checkpoint_sha256": "1" * 64}, "belongs to another model or input size"),
        ({"input_size": (64, 64)}, "belongs to another model or input size"),
        ({"frames": np.zeros((8, 48, 64), np.uint8)}, r"is damaged \(frames uint8 \(8, 48, 64\)"),
        ({"masks": np.zeros((7, 48, 64), bool)}, r"is damaged .*masks bool \(7, 48, 64\)"),
        ({"masks": np.zeros((8, 48, 64))}, r"is damaged .*masks float64"),
    ],
)
def test_golden_frames_that_do_not_fit_are_refused(
    artefact: Path, changes: dict[str, object], said: str
) -> None:
    write_golden(dataclasses.replace(golden_of(), **changes), artefact)  # type: ignore[arg-type]
    with pytest.raises(ManifestError, match=said):
        read_golden(artefact, manifest_of())


def test_damaged_files_are_refused_in_one_line_wherever_they_are_cut(artefact: Path) -> None:
    content = write_golden(golden_of(), artefact).read_bytes()
    for length in (0, 1, 100, len(content) // 2, len(content) - 1):
        golden_path(artefact).write_bytes(content[:length])
        with pytest.raises(ManifestError, match=r"is damaged .*; copy it again or export anew"):
            read_golden(artefact, manifest_of())
    np.savez(golden_path(artefact), frames=np.array([object()], dtype=object), masks=np.ones(1))
    with pytest.raises(ManifestError, match=r"is damaged"):  # pickle is never loaded
        read_golden(artefact, manifest_of())


def test_right_masks_pass_and_wrong_ones_are_told(artefact: Path) -> None:
    golden = golden_of()
    with load_model(artefact, "fake") as model:
        assert check_golden(golden, model.manifest, model.infer) < 0.03
        wrong = dataclasses.replace(golden, masks=~golden.masks)
        with pytest.raises(ParityError, match=r"\d\d\.\d% of a golden frame's mask differ"):
            check_golden(wrong, model.manifest, model.infer)
        last = golden.masks.copy()
        last[-1] = ~last[-1]
        one_wrong = dataclasses.replace(golden, masks=last)
        check_golden(one_wrong, model.manifest, model.infer, 1)  # the first is right
        with pytest.raises(ParityError):
            check_golden(one_wrong, model.manifest, model.infer)


def test_logits_that_are_not_finite_are_wrong() -> None:
    def infer(inputs: np.ndarray) -> np.ndarray:
        return np.full((1, 1, *SIZE), np.nan, np.float32)

    golden = dataclasses.replace(golden_of(), masks=np.zeros((8, 48, 64), bool))
    with pytest.raises(ParityError, match=r"100\.0% of a golden"):
        check_golden(golden, manifest_of(), infer)
