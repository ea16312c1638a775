"""Splits that share no scene: whole groups go to train, val or test."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from runtime.errors import DataError
from runtime.sources.pictures import natural_order
from train.duplicates import scene_groups
from train.groups import joined
from train.pairs import Pair

SPLITS = ("train", "val", "test")
SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}
"""The published 80/20 split, with the 20 halved, so that the test split chooses nothing."""
GIVEN = "given with the pairs"
BY_GROUPS = "80/10/10 by groups, seed "
IN_A_ROW = "80/10/10 in the order of their names, because all show one scene"
"""How the sentences on a split begin; the seed follows the second."""


def split_pairs(pairs: Sequence[Pair], seed: int) -> tuple[dict[str, list[Pair]], str]:
    """Pairs by split, and the sentence that says what decided it.

    A split that the pairs bring along is kept. Otherwise whole groups are dealt out by `seed`:
    the groups that the pairs bring along, or where any is unknown those joined with the
    near-duplicates that train.duplicates finds. Where all are one group, the frames of a camera
    that does not move, the first are learned from and the last are scored on. Raises DataError
    when a group lies in two splits, or train or val would stay empty.
    """
    if any(pair.split for pair in pairs):
        splits, rule = _given(pairs), GIVEN
    else:
        groups = _groups(pairs)
        if len(set(groups)) > 1:
            splits, rule = _dealt(pairs, groups, seed), f"{BY_GROUPS}{seed}"
        else:
            splits, rule = _in_a_row(pairs), IN_A_ROW
    for name in ("train", "val"):
        if not splits[name]:
            raise DataError(
                f"the split '{name}' is empty ({len(pairs)} pairs came); "
                "wanted one picture in it at least: add some or mend the split column"
            )
    counts = ", ".join(f"{name} {len(splits[name])}" for name in SPLITS)
    return splits, f"{rule}: {counts}"


def seed_of_rule(rule: str) -> int | None:
    """The seed that the sentence of `split_pairs` names; None where the pairs brought a split."""
    found = re.match(rf"{BY_GROUPS}(\d+):", rule)
    return int(found[1]) if found else None


def _given(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    splits: dict[str, list[Pair]] = {name: [] for name in SPLITS}
    home: dict[str, str] = {}
    for pair in pairs:
        if pair.split not in splits:
            raise DataError(
                f"{pair.image.name} has split '{pair.split or ''}'; wanted {', '.join(SPLITS)}"
            )
        if pair.group and home.setdefault(pair.group, pair.split) != pair.split:
            raise DataError(
                f"group {pair.group} lies in {home[pair.group]} and {pair.split} "
                f"({pair.image.name}); one scene must stay in one split: mend the split column"
            )
        splits[pair.split].append(pair)
    return splits


def _dealt(pairs: Sequence[Pair], groups: Sequence[str], seed: int) -> dict[str, list[Pair]]:
    members: dict[str, list[Pair]] = defaultdict(list)
    for pair, group in zip(pairs, groups, strict=True):
        members[group].append(pair)
    names = sorted(members)
    splits: dict[str, list[Pair]] = {name: [] for name in SPLITS}
    for turn in np.random.default_rng(seed).permutation(len(names)):
        _neediest(splits, len(pairs)).extend(members[names[turn]])
    return splits


def _in_a_row(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    """Neighbours in time are nearly the same frame, so only those at the two borders are parted."""
    ordered = sorted(pairs, key=lambda pair: natural_order(pair.image))
    test = round(SHARES["test"] * len(ordered))
    val = max(1, round(SHARES["val"] * len(ordered)))
    train = len(ordered) - val - test
    return {
        "train": ordered[:train],
        "val": ordered[train : train + val],
        "test": ordered[train + val :],
    }


def _groups(pairs: Sequence[Pair]) -> list[str]:
    if all(pair.group for pair in pairs):
        return [pair.group or "" for pair in pairs]
    scenes = scene_groups([pair.image for pair in pairs])
    groups = [""] * len(pairs)
    for indices in joined(scenes, [pair.group for pair in pairs]):
        for index in indices:
            groups[index] = scenes[indices[0]]
    return groups


def _neediest(splits: dict[str, list[Pair]], total: int) -> list[Pair]:
    """The split that is furthest from its share; an empty train or val comes first."""
    for name in ("train", "val"):
        if not splits[name]:
            return splits[name]
    return splits[max(SPLITS, key=lambda name: SHARES[name] - len(splits[name]) / total)]
