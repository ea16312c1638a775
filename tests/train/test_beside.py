from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from runtime.errors import DataError
from train.beside import beside, joined
from train.cache import Pictures


def _part(kind: type, value: int, names: str) -> Pictures:
    shape = (len(names), 2, 2)
    return Pictures(
        images=np.full((*shape, 3), value, np.uint8),
        masks=np.full(shape, value, kind),
        names=tuple(names),
    )


def test_folders_are_opened_by_what_they_hold(photographs: Path) -> None:
    assert beside(None, None) == {}
    found = beside(photographs, photographs / "Image")
    assert [len(found[name]) for name in ("also", "dry")] == [10, 10]
    assert found["also"][0].mask.any()
    assert not found["dry"][0].mask.any()


@pytest.mark.parametrize("folders", [(Path("nowhere"), None), (None, Path("nowhere"))])
def test_a_wrong_folder_is_told(folders: tuple[Path | None, Path | None]) -> None:
    with pytest.raises(DataError, match=r"no such .*folder: nowhere"):
        beside(*folders)


def test_masks_stay_bool_unless_a_teacher_labelled_some() -> None:
    both = joined([_part(bool, 1, "ab"), _part(bool, 0, "c")])
    assert both.masks.dtype == bool
    assert both.names == ("a", "b", "c")
    mixed = joined([_part(np.uint8, 100, "a"), _part(bool, 1, "bc")])
    assert mixed.masks[:, 0, 0].tolist() == [100, 255, 255]
    assert mixed.images.shape == (3, 2, 2, 3)
