from __future__ import annotations

import pytest

from runtime.engine_versions import DIALECTS, dialect_of
from runtime.errors import BackendError
from runtime.manifest import PRECISIONS


@pytest.mark.parametrize(
    ("library", "version", "first"),
    [
        ("tensorrt", "10.3.0", (10, 3)),
        ("tensorrt", "10.11.0.33", (10, 3)),
        ("tensorrt", "10.12.0", (10, 12)),
        ("tensorrt", "10.16.2.10", (10, 12)),
        ("tensorrt", "11.4.1", (11, 0)),
        ("tensorrt", "12.0.0", (11, 0)),
        ("tensorrt_rtx", "1.7.1.116", (1, 0)),
    ],
)
def test_versions_are_compared_as_numbers(
    library: str, version: str, first: tuple[int, int]
) -> None:
    assert dialect_of(library, version).first == first


@pytest.mark.parametrize("version", ["8.6.1", "10.2.0", "unknown"])
def test_what_is_too_old_is_refused(version: str) -> None:
    with pytest.raises(BackendError, match=rf"tensorrt {version} is too old .* wanted 10.3"):
        dialect_of("tensorrt", version)


def test_fp16_is_either_a_flag_on_the_fp32_graph_or_the_fp16_graph_without_flags() -> None:
    for dialect in DIALECTS:
        assert set(dialect.precision_flags) == set(PRECISIONS)
        assert dialect.precision_flags["fp32"] == ()
        assert (dialect.fp16_graph == "fp32") == ("FP16" in dialect.precision_flags["fp16"])
        if "STRONGLY_TYPED" in dialect.network_flags:
            assert not any(dialect.precision_flags.values()), "flags conflict with strong typing"
