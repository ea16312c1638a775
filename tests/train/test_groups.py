from __future__ import annotations

from train.groups import connected, joined


def test_joined_follows_labels_through_every_labelling() -> None:
    assert joined(["a", "b", "b", "c"], [None, "x", None, "x"]) == [[0], [1, 2, 3]]


def test_links_join_through_others_and_lone_ones_stay_alone() -> None:
    assert connected(6, [(4, 1), (1, 0), (3, 5)]) == [[0, 1, 4], [2], [3, 5]]
    assert connected(2, []) == [[0], [1]]
