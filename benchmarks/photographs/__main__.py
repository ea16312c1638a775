"""Gathers photographs of other things than floods: python -m benchmarks.photographs OUT.

OUT/learn is for `python -m train.distill --dry` and OUT/also for its `--also`; OUT/photographs and
OUT/streets are for `python -m benchmarks.model_card --dry`, OUT/water for its `--water`, OUT/rivers
for its `--rivers` and OUT/clips for its `--clips`. Nothing that is measured on is learned from,
nor another frame of the same river. They stay where they are taken to; the project holds none.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image

from benchmarks.photographs.outlines import find_outlined
from benchmarks.photographs.packages import SHARE, find_packaged
from benchmarks.photographs.repositories import find_cloned
from runtime.console import run, say
from runtime.files import atomic_path, make_folder
from runtime.images import read_picture
from train.data_folder import IMAGE_FOLDER, MASK_FOLDER

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    out: Annotated[Path, typer.Argument(help="a folder")],
    share: Annotated[Path, typer.Option(help="where Debian packages have their data")] = SHARE,
    clones: Annotated[
        Path, typer.Option(help="where the repositories of photographs are cloned to")
    ] = Path(),
) -> None:
    """Copies the photographs into folders, with masks where they show water."""
    parts = find_packaged(share)
    for part, found in find_cloned(clones).items():
        parts[part] = {**parts.get(part, {}), **found}
    for part, found in parts.items():
        folder = make_folder(out / part)
        for name, photograph in found.items():
            _copy(photograph, make_folder((folder / name).parent) / Path(name).name)
        say(f"{folder}: {len(found)} photographs")
    for part, outlined in find_outlined(clones).items():
        images, masks = (make_folder(out / part / name) for name in (IMAGE_FOLDER, MASK_FOLDER))
        for place, outline in outlined.items():
            name = Path(place.replace("/", "-"))
            _copy(clones / place, images / name)
            mask = outline.mask(read_picture(clones / place).shape[:2])
            with atomic_path(masks / f"{name.stem}.png") as temporary:
                Image.fromarray(mask).save(temporary, format="PNG")
        say(f"{out / part}: {len(outlined)} photographs with masks")


def _copy(photograph: Path, to: Path) -> None:
    with atomic_path(to) as temporary:
        shutil.copyfile(photograph, temporary)


if __name__ == "__main__":
    run(app)
