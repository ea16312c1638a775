"""The audit finds each fault that is planted, and nothing in a clean set."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from runtime.errors import DataError
from tests.train.landscapes import write_copies, write_landscapes
from train.audit import app, audit
from train.audit_findings import SUSPICIOUS, WRONG
from train.pair_table import read_table
from train.pairs import FLOOD_AREA

COUNT = 12


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_landscapes(tmp_path_factory.mktemp("audit") / "clean", COUNT)


@pytest.fixture
def folder(pristine: Path, tmp_path: Path) -> Path:
    """Twelve clean pairs of different scenes, for one test to spoil."""
    return Path(shutil.copytree(pristine, tmp_path / "floods"))


def _run(folder: Path, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(folder), *options], catch_exceptions=False)
    return result.exit_code, result.stdout


def _kinds(folder: Path, table: Path | None = None) -> dict[str, list[tuple[str, ...]]]:
    found: dict[str, list[tuple[str, ...]]] = {}
    for finding in audit(folder, table):
        found.setdefault(finding.kind, []).append(finding.files)
    return found


def _change_mask(folder: Path, stem: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    path = folder / "Mask" / f"{stem}.png"
    changed = change(np.asarray(Image.open(path)))
    Image.fromarray(np.ascontiguousarray(changed)).save(path)


def _convert(folder: Path, stem: str, mode: str) -> None:
    path = folder / "Image" / f"{stem}.png"
    Image.open(path).convert(mode).save(path)


def _swap(first: Path, second: Path) -> None:
    spare = first.with_name("spare")
    first.rename(spare)
    second.rename(first)
    spare.rename(second)


def _table(folder: Path, text: str) -> Path:
    path = folder.parent / "pairs.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_clean_set_gives_no_finding_and_exit_0(pristine: Path) -> None:
    code, out = _run(pristine)
    assert (code, out.split()[-2:]) == (0, ["nothing", "wrong"])
    code, out = _run(pristine, "--json")
    assert code == 0
    assert json.loads(out) == {"folder": str(pristine), "wrong": False, "findings": []}


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _one_jpeg_named_png(folder: Path) -> None:
    path = folder / "Image" / "3.png"
    Image.open(path).save(path, format="JPEG", quality=95)


def _half_size_mask(folder: Path) -> None:
    _change_mask(folder, "3", lambda mask: mask[::2, ::2])


def _soft_border(mask: np.ndarray) -> np.ndarray:
    soft = mask.copy()
    soft[60:64] = 130
    return soft


PLANTED: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "truncated image": ("unreadable", lambda d: _truncate(d / "Image/3.png"), "Image/3.png"),
    "empty file": ("unreadable", lambda d: (d / "Mask/3.png").write_bytes(b""), "Mask/3.png"),
    "no picture": (
        "unreadable",
        lambda d: (d / "Image/3.png").write_text("<html>not found</html>"),
        "Image/3.png",
    ),
    "suffix": ("suffix", _one_jpeg_named_png, "Image/3.png"),
    "palette": ("mode", lambda d: _convert(d, "3", "P"), "Image/3.png"),
    "alpha": ("mode", lambda d: _convert(d, "3", "RGBA"), "Image/3.png"),
    "grey": ("mode", lambda d: _convert(d, "3", "L"), "Image/3.png"),
    "size": ("size", _half_size_mask, "3.png"),
    "grey levels": ("grey-mask", lambda d: _change_mask(d, "3", _soft_border), "Mask/3.png"),
    "no water": (
        "empty-mask",
        lambda d: _change_mask(d, "3", lambda mask: mask * 0),
        "Mask/3.png",
    ),
    "only water": (
        "full-mask",
        lambda d: _change_mask(d, "3", lambda mask: mask | 255),
        "Mask/3.png",
    ),
    "water is 1": (
        "mask-levels",
        lambda d: _change_mask(d, "3", lambda mask: mask // 255),
        "Mask/3.png",
    ),
    "no mask": ("no-mask", lambda d: (d / "Mask/3.png").unlink(), "3.png"),
    "two images of a stem": (
        "same-stem",
        lambda d: Image.open(d / "Image/3.png").save(d / "Image/3.jpg"),
        "Image/3.jpg",
    ),
    "two masks of a stem": (
        "same-stem",
        lambda d: shutil.copy(d / "Mask/3.png", d / "Mask/3.bmp"),
        "Mask/3.bmp",
    ),
    "other format": (
        "not-read",
        lambda d: Image.open(d / "Image/3.png").save(d / "Image/77.gif"),
        "Image/77.gif",
    ),
    "no image": ("file-without-row", lambda d: (d / "Image/3.png").unlink(), "Mask/3.png"),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_each_planted_fault_is_the_one_finding(folder: Path, fault: str) -> None:
    kind, plant, file = PLANTED[fault]
    plant(folder)
    (finding,) = audit(folder)
    assert (finding.kind, finding.files[0]) == (kind, file)
    code, out = _run(folder, "--json")
    assert code == (1 if kind in WRONG else 0)
    assert json.loads(out)["findings"][0]["wrong"] is (kind in WRONG)


def test_two_swapped_masks_are_the_first_suspicion(folder: Path) -> None:
    _swap(folder / "Mask" / "4.png", folder / "Mask" / "9.png")
    (finding,) = audit(folder)
    assert (finding.kind, finding.files) == ("swapped", ("4.png", "9.png"))
    assert finding.score is not None and finding.score > 0.3
    assert "4.png fits 9.png, 9.png fits 4.png" in finding.detail


def test_masks_that_slipped_by_one_are_one_suspicion(folder: Path) -> None:
    for number in range(4, 7):
        _swap(folder / "Mask" / f"{number}.png", folder / "Mask" / f"{number + 1}.png")
    (finding,) = audit(folder)
    assert finding.kind == "swapped"
    assert set(finding.files) == {"4.png", "5.png", "6.png", "7.png"}


def test_identical_files_and_identical_pixels_are_told_apart(folder: Path) -> None:
    for name in ("Image", "Mask"):
        shutil.copy(folder / name / "3.png", folder / name / "3-copy.png")
        Image.open(folder / name / "5.png").save(folder / name / "5-again.bmp")
    details = {finding.files: finding.detail for finding in audit(folder)}
    assert details == {
        ("3.png", "3-copy.png"): "identical bytes, masks agree to IoU 1.00",
        ("5.png", "5-again.bmp"): "identical pixels in different files, masks agree to IoU 1.00",
    }


def test_copies_in_every_disguise_are_one_scene(folder: Path) -> None:
    copies = write_copies(folder, "6")
    ((kind, (files,)),) = _kinds(folder).items()
    assert kind == "near-duplicate"
    assert {Path(file).stem for file in files} == {"6", *copies}


def test_a_scene_in_two_splits_is_wrong(folder: Path) -> None:
    write_copies(folder, "6")
    rows = "".join(f"{n}.png,{n}.png,{'val' if n % 2 else 'train'}\n" for n in range(COUNT))
    table = _table(folder, f"Image,Mask,split\n{rows}6-crop.jpg,6-crop.png,val\n")
    kinds = _kinds(folder, table)
    assert kinds["split-leak"] == [("6.png", "6-crop.jpg")]
    assert len(kinds["file-without-row"]) == 8
    assert _run(folder, "--pairs", str(table))[0] == 1


def test_a_group_in_two_splits_and_rows_without_a_split_are_wrong(folder: Path) -> None:
    rows = ["0.png,0.png,a,train", "1.png,1.png,a,test", "2.png,2.png,b,dev", "3.png,3.png,c,"]
    kinds = _kinds(folder, _table(folder, "Image,Mask,group,split\n" + "\n".join(rows)))
    assert kinds["split-leak"] == [("0.png", "1.png")]
    assert kinds["bad-split"] == [("2.png",), ("3.png",)]


def test_rows_and_files_that_lack_each_other_are_listed(folder: Path) -> None:
    rows = "".join(f"{number}.png,{number}.png\n" for number in range(COUNT - 1))
    kinds = _kinds(folder, _table(folder, f"Image,Mask\n{rows}77.png,77.png\n2.png,4.png\n"))
    assert kinds["row-without-files"] == [("77.png",)]
    assert kinds["repeated-row"] == [("2.png",)]
    assert sorted(kinds["file-without-row"]) == [("Image/11.png",), ("Mask/11.png",)]


def test_an_empty_folder_has_no_pairs(tmp_path: Path) -> None:
    for name in ("Image", "Mask"):
        (tmp_path / name).mkdir()
    assert _kinds(tmp_path) == {"no-pairs": [()]}
    assert _run(tmp_path)[0] == 1


def test_a_folder_of_another_layout_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="wanted a folder that holds Image/ and Mask/"):
        audit(tmp_path)


def test_the_table_names_the_file_and_what_to_do(folder: Path) -> None:
    _truncate(folder / "Image" / "3.png")
    code, out = _run(folder)
    assert code == 1
    assert re.search(r"wrong.*unreadable.*1 in all.*replace or remove it", out)
    assert "Image/3.png" in out


def test_many_findings_of_a_kind_become_one_row_unless_all_are_asked_for(tmp_path: Path) -> None:
    folder = write_landscapes(tmp_path / "many", 22)
    for number in range(22):
        _change_mask(folder, str(number), _soft_border)
    assert "22 in all" in _run(folder)[1]
    assert "Mask/21.png" not in _run(folder)[1]
    assert "Mask/21.png" in _run(folder, "--all")[1]


def test_help_says_what_gives_exit_1() -> None:
    text = " ".join(CliRunner().invoke(app, ["--help"]).stdout.split())
    assert all(kind in text for kind in (*WRONG, *SUSPICIOUS))


REAL = Path(__file__).parents[3] / "shared" / "flood-area"


@pytest.mark.skipif(not REAL.is_dir(), reason="the Flood Area photographs are not here")
def test_the_faults_of_the_flood_area_set_are_found_without_its_table() -> None:
    kinds = _kinds(REAL)
    assert kinds["swapped"] == [("14.jpg", "15.jpg"), ("2052.jpg", "2053.jpg")]
    assert "maybe-swapped" not in kinds
    sizes = {image for image, _ in kinds["size"]}
    assert sizes - {"14.jpg", "15.jpg", "2052.jpg", "2053.jpg"} == {
        "1061.jpg",
        "1079.jpg",
        "3059.jpg",
    }
    bytewise = {("43.jpg", "1021.jpg"), ("1012.jpg", "1057.jpg"), ("1033.jpg", "3029.jpg")}
    bytewise |= {("1041.jpg", "3033.jpg"), ("1049.jpg", "3019.jpg")}
    assert bytewise <= set(kinds["duplicate"])
    group_of = {row["Image"]: row["group"] for row in read_table(FLOOD_AREA)}
    scenes = [*kinds["duplicate"], *kinds["near-duplicate"]]
    assert all(len({group_of[file] for file in scene}) == 1 for scene in scenes)
    here = [path.name for path in (REAL / "Image").iterdir() if path.name in group_of]
    known = {
        frozenset((one, other))
        for one in here
        for other in here
        if one != other and group_of[one] == group_of[other]
    }
    found = {frozenset((a, b)) for scene in scenes for a in scene for b in scene if a != b}
    missed = known - found
    assert missed <= {frozenset({"1069.jpg", "1083.jpg"})}, "only another viewpoint may be missed"
