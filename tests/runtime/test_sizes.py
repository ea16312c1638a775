from __future__ import annotations

import pytest

from runtime.errors import DataError
from runtime.sizes import LARGEST, SizeRule, parse_size


@pytest.mark.parametrize(
    ("text", "size"), [("224", (224, 224)), ("384x640", (384, 640)), ("16X32", (16, 32))]
)
def test_a_size_is_a_number_or_height_and_width(text: str, size: tuple[int, int]) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "1x2x3", "x", "-16", "9" * 5000, "\u0662\u0662\u0664"])
def test_other_words_are_no_size(text: str) -> None:
    with pytest.raises(DataError, match="is neither a number nor HEIGHTxWIDTH; try 224"):
        parse_size(text)


@pytest.mark.parametrize(
    ("rule", "size", "told"),
    [
        (SizeRule(), (230, 224), "size 230 is no multiple of 16; nearest: 224 or 240"),
        (SizeRule(), (224, 100), "size 100 is no multiple of 16; nearest: 96 or 112"),
        (SizeRule(), (7, 7), "size 7 is no multiple of 16; nearest: 16 or 32"),
        (SizeRule(), (0, 16), "size 0 is too small for this network; nearest: 16 or 32"),
        (SizeRule(), (16, 99984), "size 99984 is too large for this network; nearest: 16368 or 1"),
        (SizeRule(multiple=32, smallest=32), (240, 32), "no multiple of 32; nearest: 224 or 256"),
        (SizeRule(multiple=32, smallest=32), (16, 32), "no multiple of 32; nearest: 32 or 64"),
        (
            SizeRule(smallest=96),
            (80, 96),
            "size 80 is too small for this network; nearest: 96 or 1",
        ),
        (SizeRule(smallest=96), (90, 96), "size 90 is no multiple of 16; nearest: 96 or 112"),
    ],
)
def test_a_size_that_a_network_does_not_take_is_refused_with_the_two_nearest(
    rule: SizeRule, size: tuple[int, int], told: str
) -> None:
    with pytest.raises(DataError, match=told) as caught:
        rule.checked(size)
    nearest = str(caught.value).partition("nearest: ")[2].split(" or ")
    assert len(nearest) == 2
    assert all(rule.takes(int(side)) for side in nearest)


@pytest.mark.parametrize("rule", [SizeRule(), SizeRule(multiple=32, smallest=32)])
def test_a_fitting_side_is_taken(rule: SizeRule) -> None:
    for side in (1, 31, 32, 33, 224, LARGEST):
        fitting = rule.fitting(side)
        assert side <= fitting < side + rule.multiple
        assert rule.checked((fitting, fitting)) == (fitting, fitting)
