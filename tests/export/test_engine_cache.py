"""The timing cache of the real builder. Its own is empty, but read and written as TensorRT's is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.engine import build_engine
from runtime.engine_cache import cache_path
from runtime.engine_library import load_library
from runtime.engine_plan import Plan, plan_engine
from runtime.engine_versions import DIALECTS
from runtime.gpu import Gpu

ORIN = Gpu(name="Orin", compute_capability="8.7", driver="12.6", integrated=False)
pytestmark = [
    pytest.mark.skipif(
        load_library("tensorrt_rtx") is None, reason="TensorRT for RTX is not installed"
    ),
    # TensorRT for RTX times nothing ahead of time, and says that its cache is of no use.
    pytest.mark.filterwarnings("ignore:.*Timing cache operations:DeprecationWarning"),
]


@pytest.fixture
def plan(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Plan]:
    """A function that plans an engine of a library with a timing cache, kept in this folder."""

    def planned(cache: Path) -> Plan:
        monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
        plan = plan_engine(home / "exports" / "tiny" / "model.onnx", "tensorrt-rtx")
        dialect = dataclasses.replace(plan.dialect, timing_cache=True)
        return dataclasses.replace(plan, dialect=dialect, gpu=ORIN)

    return planned


def cache_of(plan: Plan) -> Path:
    path = cache_path(plan.dialect, plan.trt.__version__, plan.gpu)
    assert path is not None
    return path


def test_what_was_timed_is_kept_and_given_to_the_next_build(
    plan: Callable[[Path], Plan], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planned = plan(tmp_path / "cache")
    for _ in range(2):
        assert build_engine(planned).is_file()
        assert (
            "minutes are normal on a small device, and the next build is faster"
            in capsys.readouterr().err
        )
        assert cache_of(planned).read_bytes().startswith(b"ptrt")
    assert cache_of(planned).parent == tmp_path / "cache" / "flood-runtime"


def test_a_damaged_cache_is_replaced(plan: Callable[[Path], Plan], tmp_path: Path) -> None:
    planned = plan(tmp_path / "cache")
    cache_of(planned).parent.mkdir(parents=True)
    cache_of(planned).write_bytes(b"damaged" * 50)
    assert build_engine(planned).is_file()
    assert cache_of(planned).read_bytes().startswith(b"ptrt")


def test_a_cache_that_cannot_be_written_costs_a_line_and_not_the_engine(
    plan: Callable[[Path], Plan], capsys: pytest.CaptureFixture[str]
) -> None:
    engine = build_engine(plan(Path("/proc/nowhere")))
    assert engine.stat().st_size > 100_000
    assert engine.with_name(engine.name + ".json").is_file()
    line = capsys.readouterr().err.splitlines()[1]
    assert line.startswith("the next build will not be faster: cannot write /proc/nowhere")


def test_a_library_without_a_cache_promises_none(
    plan: Callable[[Path], Plan], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planned = plan(tmp_path / "cache")
    (dialect,) = (row for row in DIALECTS if row.library == "tensorrt_rtx")
    build_engine(dataclasses.replace(planned, dialect=dialect))
    assert "faster" not in capsys.readouterr().err
    assert not (tmp_path / "cache").exists()


def test_versions_and_gpus_have_a_cache_each() -> None:
    first = DIALECTS[0]
    assert cache_path(first, "10.3.0", None) is None
    thor = dataclasses.replace(ORIN, compute_capability="11.0")
    paths = {
        cache_path(first, version, gpu) for version in ("10.3.0", "10.4.0") for gpu in (ORIN, thor)
    }
    assert len(paths) == 4
