"""JSON is read strictly: what does not fit the dataclass exactly is named."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.strict_json import decode


@dataclass(frozen=True)
class Inner:
    flag: bool


@dataclass(frozen=True)
class Outer:
    count: int
    share: float
    name: str
    pair: tuple[int, int]
    many: tuple[str, ...]
    scores: dict[str, float]
    note: str | None
    inner: Inner


GOOD: dict[str, Any] = {
    "count": 3,
    "share": 0.5,
    "name": "a",
    "pair": [1, 2],
    "many": ["x", "y", "z"],
    "scores": {"iou": 0.8},
    "note": None,
    "inner": {"flag": True},
}


def test_a_fitting_object_becomes_the_dataclass() -> None:
    assert decode(Outer, GOOD) == Outer(
        3, 0.5, "a", (1, 2), ("x", "y", "z"), {"iou": 0.8}, None, Inner(True)
    )


def test_whole_numbers_fit_floats_and_come_out_as_floats() -> None:
    share = decode(Outer, GOOD | {"share": 1}).share
    assert isinstance(share, float)
    assert share == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": True}, "'outer.count' is 'True', wanted a int"),
        ({"count": 3.0}, "outer.count"),
        ({"share": "0.5"}, "outer.share"),
        ({"share": float("nan")}, "outer.share"),
        ({"share": float("inf")}, "outer.share"),
        ({"share": 10**400}, "outer.share"),
        ({"name": None}, "outer.name"),
        ({"pair": [1]}, "outer.pair.* a list of 2"),
        ({"pair": "12"}, "outer.pair"),
        ({"pair": [1, "2"]}, r"outer.pair\[1\]"),
        ({"many": ["x", 3]}, r"outer.many\[1\]"),
        ({"scores": [1]}, "outer.scores"),
        ({"scores": {"iou": "high"}}, "outer.scores.iou"),
        ({"note": 7}, "outer.note"),
        ({"inner": []}, "outer.inner"),
        ({"inner": {"flag": 1}}, "outer.inner.flag"),
        ({"inner": {}}, "missing key 'flag' in outer.inner"),
        ({"surprise": 1}, "unknown key 'surprise' in outer"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode(Outer, GOOD | change)


def test_every_key_is_needed() -> None:
    for key in GOOD:
        with pytest.raises(ValueError, match=f"missing key '{key}' in outer"):
            decode(Outer, {name: value for name, value in GOOD.items() if name != key})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.sampled_from(sorted(GOOD)), json_values)
def test_no_value_causes_anything_but_a_value_error(key: str, value: Any) -> None:
    try:
        decoded = decode(Outer, GOOD | {key: value})
    except ValueError as error:
        assert key in str(error)
    else:
        assert json.dumps(getattr(decoded, key), default=vars) is not None
