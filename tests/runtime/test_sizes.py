from __future__ import annotations

import pytest

from runtime.errors import DataError
from runtime.sizes import parse_size


@pytest.mark.parametrize(
    ("text", "size"), [("224", (224, 224)), ("384x640", (384, 640)), ("16X32", (16, 32))]
)
def test_a_size_is_a_number_or_height_and_width(text: str, size: tuple[int, int]) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("230", "size 230 is no multiple of 16; nearest: 224 or 240"),
        ("224x100", "size 100 is no multiple of 16; nearest: 96 or 112"),
        ("7", "size 7 is no multiple of 16; nearest: 16"),
        ("0", "size 0 is no multiple of 16"),
        ("", "is neither a number nor HEIGHTxWIDTH"),
        ("1x2x3", "is neither a number nor HEIGHTxWIDTH"),
        ("9" * 5000, "is neither a number nor HEIGHTxWIDTH"),
        ("\u0662\u0662\u0664", "is neither a number nor HEIGHTxWIDTH"),
    ],
)
def test_other_sizes_are_refused_with_the_nearest(text: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        parse_size(text)
