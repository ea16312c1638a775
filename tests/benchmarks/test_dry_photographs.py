from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import dry_photographs as dry
from runtime.errors import DataError


def names(of_packages: dict[str, tuple[str, ...]], shared: tuple[str, ...]) -> list[str]:
    found = [Path(name).name for part in of_packages.values() for name in part]
    return found + [path.replace("/", "-") for path in shared]


def test_no_photograph_is_learned_from_and_measured_on() -> None:
    learned = names(dry.LEARN, dry.SHARE_LEARN)
    measured = names(dry.MEASURE, dry.SHARE_MEASURE)
    assert len({*learned, *measured}) == len(learned) + len(measured)
    assert len(learned) == dry.NUMBER_TO_LEARN


@pytest.fixture
def shared_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where one photograph of each part would lie; nothing is wanted of Python packages."""
    monkeypatch.setattr(dry, "LEARN", {})
    monkeypatch.setattr(dry, "MEASURE", {})
    monkeypatch.setattr(dry, "SHARE_LEARN", ("doc/examples/road.jpg",))
    monkeypatch.setattr(dry, "SHARE_MEASURE", ("backgrounds/wood.jpg",))
    return tmp_path / "share"


def test_photographs_of_debian_packages_are_copied(shared_only: Path, tmp_path: Path) -> None:
    for name in ("doc/examples/road.jpg", "backgrounds/wood.jpg"):
        (shared_only / name).parent.mkdir(parents=True)
        (shared_only / name).write_bytes(name.encode())
    dry.main(tmp_path / "out", shared_only)
    copied = {path.relative_to(tmp_path / "out"): path.read_bytes()
              for path in (tmp_path / "out").rglob("*.jpg")}  # fmt: skip
    assert copied == {
        Path("learn/doc-examples-road.jpg"): b"doc/examples/road.jpg",
        Path("measure/backgrounds-wood.jpg"): b"backgrounds/wood.jpg",
    }


def test_a_missing_one_says_what_to_install(shared_only: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"road.jpg; run 'apt-get install .*opencv-doc.*--share"):
        dry.main(tmp_path / "out", shared_only)
    assert not list(tmp_path.rglob("*.jpg"))
