from __future__ import annotations

import cv2
import numpy as np

from train.registration import SIDE, agreement_of, fine_structure
from train.scenes import generate_scene

WHOLE = (0.0, 0.0, 1.0, 1.0)


def _grey(seed: int) -> np.ndarray:
    image = cv2.cvtColor(generate_scene(seed, (144, 144)).image, cv2.COLOR_RGB2GRAY)
    return cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def test_a_picture_agrees_with_its_shifted_turned_and_darkened_self_and_not_with_a_stranger() -> (
    None
):
    picture = _grey(3)
    moved = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), 4, 0.95)
    moved[:, 2] += 1.5
    other = cv2.warpAffine(picture, moved, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT)
    other = cv2.convertScaleAbs(other, alpha=0.5, beta=20)
    structure = fine_structure(picture)
    assert agreement_of(structure, fine_structure(other), WHOLE) > 0.8
    assert agreement_of(structure, fine_structure(_grey(8)), WHOLE) < 0.6


def test_a_crop_agrees_where_its_window_is_known() -> None:
    picture = _grey(3)
    window = (0.25, 0.25, 0.5, 0.5)
    part = cv2.resize(picture[16:48, 16:48], (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    soft = fine_structure(cv2.GaussianBlur(picture, (0, 0), 0.8))
    assert agreement_of(soft, fine_structure(part), window) > 0.5


def test_pictures_without_structure_agree_with_nothing() -> None:
    plain = fine_structure(np.full((SIDE, SIDE), 90, np.uint8))
    assert agreement_of(plain, plain, WHOLE) == 0.0
