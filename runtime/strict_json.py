"""Parsed JSON -> dataclass, strictly: no unknown key, no missing key, no wrong type.

Only a field that has a default in its dataclass may be left out.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from typing import Any, TypeVar

T = TypeVar("T")


def decode(kind: type[T], value: Any) -> T:
    """Builds a dataclass from what json.loads gave. Raises ValueError that names the key.

    Fields may be int, float (finite), str, bool, tuples and dicts of those, an optional of those,
    and other dataclasses.
    """
    return typing.cast(T, _decode(kind, value, kind.__name__.lower()))


def _decode(kind: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _decode_dataclass(kind, value, where)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if type(None) in arguments:
        inner = next(argument for argument in arguments if argument is not type(None))
        return None if value is None else _decode(inner, value, where)
    if origin is tuple:
        return _decode_tuple(arguments, value, where)
    if origin is dict:
        if not isinstance(value, dict):
            raise _wrong(where, "an object", value)
        return {key: _decode(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if kind is float and type(value) is int:
        value = float(value) if abs(value) < 1 << 53 else math.inf
    if type(value) is not kind or (kind is float and not math.isfinite(value)):
        raise _wrong(where, f"a {kind.__name__}", value)
    return value


def _decode_dataclass(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise _wrong(where, "an object", value)
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)
    names = [field.name for field in fields]
    if unknown := sorted(set(value) - set(names)):
        raise ValueError(f"unknown key '{unknown[0][:80]}' in {where}")
    required = [field.name for field in fields if _has_no_default(field)]
    if missing := [name for name in required if name not in value]:
        raise ValueError(f"missing key '{missing[0]}' in {where}")
    return kind(**{name: _decode(hints[name], value[name], f"{where}.{name}") for name in value})


def _has_no_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is field.default_factory is dataclasses.MISSING


def _decode_tuple(arguments: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _wrong(where, "a list", value)
    kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else list(arguments)
    if len(kinds) != len(value):
        raise _wrong(where, f"a list of {len(kinds)}", value)
    return tuple(
        _decode(kind, item, f"{where}[{position}]")
        for position, (kind, item) in enumerate(zip(kinds, value, strict=True))
    )


def _wrong(where: str, wanted: str, value: Any) -> ValueError:
    return ValueError(f"'{where}' is {str(value)[:60]!r}, wanted {wanted}")
