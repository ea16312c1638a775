"""The generated data set: flood scenes drawn by seed, for machines without photographs."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from train import scenes
from train.samples import GENERATED, DataSet, Sample

COUNTS = {"train": 768, "val": 64, "test": 64}
SCENE_SEEDS = "scene seeds from "
"""How the sentence on their splits begins; the first scene's seed follows."""
SCENE_SIZE = (144, 192)
"""Height and width of the generated photographs."""


class Scenes:
    """Scenes of consecutive seeds, drawn when they are asked for; cheap to send to a process."""

    def __init__(self, seeds: range) -> None:
        self.seeds = seeds

    def __len__(self) -> int:
        return len(self.seeds)

    def __getitem__(self, index: int) -> Sample:
        seed = self.seeds[index]
        scene = scenes.generate_scene(seed, SCENE_SIZE)
        return Sample(image=scene.image, mask=scene.mask, name=f"scene-{seed}")


def open_synthetic(seed: int) -> DataSet:
    """Train, val and test scenes that share no seed, neither with each other nor with the scenes
    of another `seed`."""
    start = seed * sum(COUNTS.values())
    splits = {}
    for name, count in COUNTS.items():
        splits[name] = Scenes(range(start, start + count))
        start += count
    counts = ", ".join(f"{name} {count}" for name, count in COUNTS.items())
    return DataSet(
        name=GENERATED,
        fingerprint=_fingerprint(seed),
        split_rule=f"{SCENE_SEEDS}{seed * sum(COUNTS.values())}: {counts}",
        splits=splits,
        generated=True,
    )


def seed_of_scenes(rule: str) -> int | None:
    """The `seed` of a data set that open_synthetic gave, from its split_rule; None of others."""
    found = re.match(rf"{SCENE_SEEDS}(\d+):", rule)
    return int(found[1]) // sum(COUNTS.values()) if found else None


def _fingerprint(seed: int) -> str:
    """SHA-256 over what the scenes follow from: the generator's source, counts, size and seed."""
    digest = hashlib.sha256(f"{COUNTS}{SCENE_SIZE}{seed}".encode())
    for source in sorted(Path(scenes.__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()
