"""Groups of indices that links or equal labels join."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence


def joined(*labellings: Sequence[Hashable | None]) -> list[list[int]]:
    """The groups of indices that share a label in any of the labellings; None shares with none."""
    members: dict[Hashable, list[int]] = defaultdict(list)
    for number, labels in enumerate(labellings):
        for index, label in enumerate(labels):
            if label is not None:
                members[number, label].append(index)
    links = [(indices[0], index) for indices in members.values() for index in indices[1:]]
    return connected(len(labellings[0]), links)


def connected(count: int, links: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The groups into which links join the indices 0..count-1, lone ones included."""
    home = list(range(count))

    def find(index: int) -> int:
        while home[index] != index:
            home[index] = index = home[home[index]]
        return index

    for first, second in links:
        home[find(first)] = find(second)
    groups: dict[int, list[int]] = defaultdict(list)
    for index in range(count):
        groups[find(index)].append(index)
    return sorted(groups.values())
