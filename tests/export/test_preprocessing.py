from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from export import preprocessing
from export.preprocessing import adversarial_frames, normalisation_difference, prove_preprocessing
from runtime.errors import ParityError
from runtime.manifest import Manifest
from runtime.processing import INTERPOLATIONS, preprocess
from train.scenes import generate_scene


@pytest.mark.parametrize("resize", INTERPOLATIONS)
@pytest.mark.parametrize("size", [(32, 48), (224, 224), (384, 640)])
def test_training_and_runtime_agree_bit_for_bit(
    manifest: Manifest, resize: str, size: tuple[int, int]
) -> None:
    changed = dataclasses.replace(manifest, input_size=size, resize=resize)
    scenes = [generate_scene(seed, (121, 200)).image for seed in range(3)]
    proved = prove_preprocessing(changed, scenes)
    assert proved.frames == len(adversarial_frames(size)) + 3
    interpolation = "area" if resize == "pyramid" else resize
    assert f"{size[0]}x{size[1]} with OpenCV's {interpolation}" in proved.rule
    assert ("halved" in proved.rule) == (resize == "pyramid")
    again = prove_preprocessing(changed, [])
    assert (again.rule_sha256, again.pixels_sha256) == (proved.rule_sha256, proved.pixels_sha256)


def test_another_rule_has_another_hash(manifest: Manifest) -> None:
    area = dataclasses.replace(manifest, resize="area")
    one, two = prove_preprocessing(manifest, []), prove_preprocessing(area, [])
    assert one.rule_sha256 != two.rule_sha256
    assert one.pixels_sha256 != two.pixels_sha256


def test_one_differing_bit_fails(manifest: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    def nearly(image: np.ndarray, input_size: tuple[int, int], resize: str) -> np.ndarray:
        made = preprocess(image, input_size, resize)
        if image.shape[:2] == (37, 53):
            made[-1, -1, -1] ^= 1
        return made

    monkeypatch.setattr(preprocessing, "preprocess", nearly)
    with pytest.raises(ParityError, match="a frame of 37x53 does not become the same input"):
        prove_preprocessing(manifest, [])


def test_normalisation_differs_by_rounding_alone(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 0 < normalisation_difference(manifest) < 1e-6
    usual = preprocessing.normalise
    monkeypatch.setattr(
        preprocessing, "normalise", lambda batch, mean, std: usual(batch, mean, std) + 1e-4
    )
    with pytest.raises(ParityError, match=r"normalisation differs from the graph's by 0\.0001"):
        prove_preprocessing(manifest, [])
