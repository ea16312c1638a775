"""A run that cannot begin says why and leaves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from runtime.errors import DataError
from train.run import train
from train.run_folder import RunFolder
from train.settings import complete


def test_a_picture_that_cannot_be_read_leaves_no_folder(photographs: Path, tmp_path: Path) -> None:
    rows = "".join(f"{n}.jpg,{n}.png,{'val' if n > 6 else 'train'}\n" for n in range(10))
    table = tmp_path / "pairs.csv"
    table.write_text("Image,Mask,split\n" + rows)
    whole = (photographs / "Image" / "8.jpg").read_bytes()
    (photographs / "Image" / "8.jpg").write_bytes(whole[: len(whole) // 3])
    settings = complete(
        data=str(photographs), pairs=table, model=None, width=0.03125, size="32x48", recipe=None,
        encoder="none", epochs=1, batch=None, rate=None, patience=None, seed=1,
    )  # fmt: skip
    folder = RunFolder(tmp_path / "runs" / "1")
    with pytest.raises(DataError, match=r"cannot read .*8\.jpg"):
        train(settings, folder)
    assert not folder.path.exists()


def test_masks_of_0_and_1_are_refused_before_hours_are_spent_on_them(
    photographs: Path, tmp_path: Path
) -> None:
    for path in (photographs / "Mask").iterdir():
        with Image.open(path) as mask:
            ones = mask.convert("L").point(lambda grey: int(grey > 127))
        ones.save(path)
    settings = complete(
        data=str(photographs), pairs=None, model=None, width=0.03125, size="32x48", recipe=None,
        encoder="none", epochs=1, batch=None, rate=None, patience=None, seed=1,
    )  # fmt: skip
    folder = RunFolder(tmp_path / "runs" / "1")
    with pytest.raises(DataError, match=r"no mask of the split 'train' \(8 pictures\) shows water"):
        train(settings, folder)
    assert not folder.path.exists()
