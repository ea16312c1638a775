from __future__ import annotations

import cv2
import numpy as np
import pytest

from train.hashing import ORIENTATIONS, proposals, shrink, turned
from train.registration import SIDE
from train.scenes import generate_scene


def _grey(seed: int) -> np.ndarray:
    return shrink(cv2.cvtColor(generate_scene(seed, (144, 144)).image, cv2.COLOR_RGB2GRAY), SIDE)


@pytest.mark.parametrize("orientation", range(ORIENTATIONS))
def test_a_turned_copy_is_proposed_with_the_turn_that_undoes_it(orientation: int) -> None:
    picture = _grey(3)
    pictures = [picture, _grey(5), turned(picture, orientation)]
    (found,) = [each for each in proposals(pictures) if {each[0], each[1]} == {0, 2}]
    cropped, whole, _, turn = found
    np.testing.assert_array_equal(turned(pictures[whole], turn), pictures[cropped])


def test_the_eight_orientations_differ() -> None:
    picture = np.arange(16, dtype=np.uint8).reshape(4, 4)
    assert len({turned(picture, turn).tobytes() for turn in range(ORIENTATIONS)}) == ORIENTATIONS


def test_one_picture_alone_is_like_no_other() -> None:
    assert proposals([_grey(3)]) == []
