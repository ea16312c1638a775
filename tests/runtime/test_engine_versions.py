from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

import runtime
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


RUNTIME = Path(runtime.__file__).parent
MEMBER = re.compile(r"^ +(\w+): typing\.ClassVar\[(?:\w+\.)*(\w+)\]", re.MULTILINE)
USED = re.compile(r"\btrt\.(?:\w+\.)*(\w+\.[A-Z][A-Z0-9_]+)\b")


def stub_members() -> set[str]:
    """All members of enumerations in the type stubs of TensorRT 10, as "BuilderFlag.TF32". They
    are read as text, because they are not quite Python."""
    try:
        files = distribution("tensorrt-stubs").files or []
    except PackageNotFoundError:
        pytest.skip("the type stubs of TensorRT are not installed")
    stubs = [Path(str(each.locate())).read_text() for each in files if each.suffix == ".pyi"]
    return {f"{owner}.{name}" for stub in stubs for name, owner in MEMBER.findall(stub)}


def test_every_flag_of_the_table_is_one_that_tensorrt_has() -> None:
    members = stub_members()
    for dialect in DIALECTS:
        flags = {name for names in dialect.precision_flags.values() for name in names}
        assert {f"BuilderFlag.{name}" for name in flags} <= members
        networks = {f"NetworkDefinitionCreationFlag.{name}" for name in dialect.network_flags}
        assert networks <= members
    assert "BuilderFlag.FP61" not in members


def test_every_member_that_is_used_is_one_that_tensorrt_has() -> None:
    used = {name for file in RUNTIME.rglob("*.py") for name in USED.findall(file.read_text())}
    assert {"BuilderFlag.TF32", "TensorIOMode.INPUT", "Severity.ERROR"} <= used
    assert used <= stub_members()
