from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from runtime.errors import DataError
from tests.train.photographs import write_pair
from train.dataset import open_dataset


def _table(folder: Path, text: str) -> Path:
    table = folder / "pairs.csv"
    table.write_text(text, encoding="utf-8")
    return table


def test_a_folder_is_split_by_seed_and_every_pair_is_used_once(photographs: Path) -> None:
    data = open_dataset(str(photographs), seed=1)
    names = [data.splits[s][i].name for s in data.splits for i in range(len(data.splits[s]))]
    assert sorted(names) == [str(number) for number in range(10)]
    assert {name: len(data.splits[name]) for name in data.splits} == {
        "train": 8,
        "val": 1,
        "test": 1,
    }
    again = open_dataset(str(photographs), seed=1)
    assert [p.image for p in again.splits["val"].pairs] == [
        p.image for p in data.splits["val"].pairs
    ]
    others = {open_dataset(str(photographs), seed=s).splits["val"][0].name for s in range(8)}
    assert len(others) > 1


def test_identical_pictures_never_part(photographs: Path) -> None:
    for number in range(5):
        shutil.copy(photographs / "Image" / "0.jpg", photographs / "Image" / f"copy{number}.jpg")
        shutil.copy(photographs / "Mask" / "0.png", photographs / "Mask" / f"copy{number}.png")
    for seed in range(10):
        splits = open_dataset(str(photographs), seed=seed).splits
        homes = {
            name
            for name, samples in splits.items()
            for pair in samples.pairs
            if pair.image.stem == "0" or pair.image.stem.startswith("copy")
        }
        assert len(homes) == 1


def test_groups_of_a_table_never_part(photographs: Path) -> None:
    rows = "".join(f"{n}.jpg,{n}.png,{n // 3}\n" for n in range(10))
    table = _table(photographs, "Image,Mask,group\n" + rows)
    for seed in range(10):
        splits = open_dataset(str(photographs), table, seed).splits
        homes: dict[str, set[str]] = {}
        for name, samples in splits.items():
            for pair in samples.pairs:
                homes.setdefault(str(pair.group), set()).add(name)
        assert all(len(home) == 1 for home in homes.values())


@pytest.mark.parametrize(("number", "sizes"), [(20, [16, 2, 2]), (5, [4, 1, 0]), (2, [1, 1, 0])])
def test_frames_of_one_camera_are_split_in_the_order_of_their_names(
    tmp_path: Path, number: int, sizes: list[int]
) -> None:
    for index in range(number):
        write_pair(tmp_path, str(index), 0.5)
    rows = "".join(f"{n}.jpg,{n}.png,camera\n" for n in reversed(range(number)))
    table = _table(tmp_path, "Image,Mask,group\n" + rows)
    for seed in (1, 2):
        data = open_dataset(str(tmp_path), table, seed)
        split = [[sample.name for sample in data.splits[name]] for name in data.splits]
        assert [len(names) for names in split] == sizes
        assert [*split[0], *split[1], *split[2]] == [str(index) for index in range(number)]
        assert data.split_rule.startswith("80/10/10 in the order of their names, because all show")


def test_one_picture_makes_no_data_set(tmp_path: Path) -> None:
    write_pair(tmp_path, "only", 0.5)
    with pytest.raises(DataError, match=r"the split 'train' is empty \(1 pairs came\); wanted one"):
        open_dataset(str(tmp_path))


def test_a_table_decides_pairing_and_split_and_missing_rows_are_counted(
    photographs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "Image,Mask,group,split,note\n1.jpg,2.png,a,train,swapped\n3.jpg,3.png,b,val,\n"
    data = open_dataset(
        str(photographs), _table(photographs, text + "77.jpg,77.png,c,test,not here\n")
    )
    assert data.splits["train"].pairs[0].mask.name == "2.png"
    assert data.splits["val"][0].name == "3"
    assert len(data.splits["test"]) == 0
    assert "2 of 3 rows have files here" in capsys.readouterr().err


def test_masks_over_127_are_water_and_take_the_size_of_their_picture(photographs: Path) -> None:
    grey = np.array([[0, 127], [128, 255]], np.uint8).repeat(40, 0).repeat(40, 1)
    Image.fromarray(grey).save(photographs / "Mask" / "0.png")
    table = _table(photographs, "Image,Mask,split\n0.jpg,0.png,train\n1.jpg,1.png,val\n")
    sample = open_dataset(str(photographs), table).splits["train"][0]
    assert sample.mask.shape == sample.image.shape[:2] == (40, 56)
    assert sample.mask.dtype == bool
    assert not sample.mask[:18].any()
    assert sample.mask[22:].all()


def test_the_fingerprint_follows_names_and_contents(photographs: Path, tmp_path: Path) -> None:
    first = open_dataset(str(photographs))
    moved = tmp_path / "elsewhere"
    shutil.copytree(photographs, moved)
    assert open_dataset(str(moved), seed=5).fingerprint == first.fingerprint
    write_pair(moved, "3", 0.9)
    assert open_dataset(str(moved)).fingerprint != first.fingerprint


def test_a_missing_folder_names_the_real_data_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no such data folder: .*nowhere.*Faizal Karim"):
        open_dataset(str(tmp_path / "nowhere"))


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "Image").mkdir()
    (tmp_path / "Mask").mkdir()
    with pytest.raises(DataError, match=r"Image holds no usable pictures"):
        open_dataset(str(tmp_path))


@pytest.mark.parametrize("with_table", [False, True])
def test_an_image_without_mask_is_named(photographs: Path, with_table: bool) -> None:
    (photographs / "Mask" / "4.png").unlink()
    table = _table(photographs, "Image,Mask\n3.jpg,3.png\n4.jpg,4.png\n") if with_table else None
    with pytest.raises(DataError, match=r"4\.jpg has no mask; wanted .*4\.png"):
        open_dataset(str(photographs), table)


def test_an_unreadable_image_is_named(photographs: Path) -> None:
    (photographs / "Image" / "4.jpg").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"cannot read .*4\.jpg as a picture"):
        open_dataset(str(photographs))


def test_spaces_around_headers_and_values_do_not_count(photographs: Path) -> None:
    table = _table(photographs, " Image , Mask,split \n1.jpg, 1.png ,train\n 2.jpg,2.png,val\n")
    data = open_dataset(str(photographs), table)
    assert [len(data.splits[name]) for name in ("train", "val", "test")] == [1, 1, 0]


@pytest.mark.parametrize("kind", ["Image", "Mask"])
def test_two_files_of_one_stem_are_refused_unless_a_table_says_which(
    photographs: Path, kind: str
) -> None:
    twin = photographs / kind / "4.bmp"
    Image.open(next((photographs / kind).glob("4.*"))).save(twin)
    with pytest.raises(DataError, match=rf"{kind} holds several pictures of one stem \(4.bmp, 4"):
        open_dataset(str(photographs))
    rows = "1.jpg,1.png,train\n4.jpg,4.png,val\n"
    table = _table(photographs, f"Image,Mask,split\n{rows}")
    assert len(open_dataset(str(photographs), table).splits["val"]) == 1


def test_what_is_left_out_of_a_folder_is_named(
    photographs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("Image/a.heic", "Image/b.gif", "Mask/Thumbs.db", "Image/c.gif", "Image/.hidden"):
        (photographs / name).write_bytes(b"x")
    shutil.copy(photographs / "Mask" / "3.png", photographs / "Mask" / "spare.png")
    assert sum(map(len, open_dataset(str(photographs)).splits.values())) == 10
    others, spare = capsys.readouterr().err.splitlines()
    assert others.endswith("are read: Image/a.heic, Image/b.gif, Image/c.gif and 1 more")
    assert ".jpg" in others
    assert spare.endswith("left out: spare.png")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", r"no column 'Image' \(it has: a, b\)"),
        ("Image,Mask\n1.jpg,\n", r"line 2 names no image or no mask"),
        (
            "Image,Mask\n1.jpg,1.png\n2.jpg,2.png\n1.jpg,3.png\n",
            r"1\.jpg stands in line 2 and in line 4; a photograph has one mask",
        ),
        (
            "Image,Mask\nImage/1.jpg,1.png\nImage/2.jpg,2.png\n",
            r"none of the 2 rows of .*pairs\.csv names a picture in .*Image: the first row says "
            r"'Image/1\.jpg', the first picture is called '0\.jpg'",
        ),
        ("Image;Mask\n1.jpg;1.png\n", r"no column 'Image' .*with commas between them"),
        ("Image,Mask,split\n1.jpg,1.png,dev\n", r"has split 'dev'; wanted train, val, test"),
        (
            "Image,Mask,group,split\n1.jpg,1.png,a,train\n2.jpg,2.png,a,val\n",
            r"group a lies in train and val",
        ),
        ("Image,Mask,split\n1.jpg,1.png,train\n", r"the split 'val' is empty"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(photographs: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        open_dataset(str(photographs), _table(photographs, text))


def test_generated_scenes_share_no_seed_between_splits_and_repeat() -> None:
    data, again = open_dataset("synthetic", seed=3), open_dataset("synthetic", seed=3)
    seeds = [seed for samples in data.splits.values() for seed in samples.seeds]
    assert len(seeds) == len(set(seeds))
    first, second = data.splits["val"][0], again.splits["val"][0]
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.mask, second.mask)
    assert data.fingerprint == again.fingerprint != open_dataset("synthetic", seed=4).fingerprint
