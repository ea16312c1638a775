"""A table that parts one scene is told, before the run that would score too well."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.train.landscapes import write_copies, write_landscapes
from train.cache import decode_split
from train.dataset import open_dataset
from train.leaks import leaks, tell_leaks
from train.samples import DataSet


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_landscapes(tmp_path_factory.mktemp("leaks") / "floods", 6)
    write_copies(folder, "2")
    return folder


def _opened(folder: Path, table: Path, copies_in: str) -> DataSet:
    splits = {stem: "val" if stem in ("0", "1") else "train" for stem in "012345"}
    splits |= {f"2-{kind}": copies_in for kind in ("crop", "mirror")}
    rows = "".join(
        f"{image.name},{image.stem}.png,{splits[image.stem]}\n"
        for image in sorted((folder / "Image").iterdir())
        if image.stem in splits
    )
    table.write_text("Image,Mask,split\n" + rows)
    return open_dataset(str(folder), table)


@pytest.mark.parametrize(("copies_in", "parted"), [("val", True), ("train", False)])
def test_a_scene_on_both_sides_of_a_given_split_is_one_warning(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    copies_in: str,
    parted: bool,
) -> None:
    dataset = _opened(folder, tmp_path / "pairs.csv", copies_in)
    train, val = (decode_split(dataset, name, (96, 128), "pyramid") for name in ("train", "val"))
    expected = [("2", "2-crop"), ("2", "2-mirror")] if parted else []
    assert sorted(leaks(train, val)) == expected
    capsys.readouterr()
    tell_leaks(dataset, train, val)
    told = capsys.readouterr().err
    assert told.count("\n") == told.count("warning: ") == int(parted)
    assert ("parts pictures of one scene (train and val: 2 and 2-" in told) == parted
