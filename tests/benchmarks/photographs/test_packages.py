from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.photographs import packages
from runtime.errors import DataError


def names(of_packages: dict[str, tuple[str, ...]], shared: tuple[str, ...]) -> list[str]:
    found = [Path(name).name for part in of_packages.values() for name in part]
    return found + [path.replace("/", "-") for path in shared]


def test_no_photograph_is_learned_from_and_measured_on() -> None:
    learned = names(packages.LEARN, packages.SHARE_LEARN)
    measured = names(packages.MEASURE, packages.SHARE_MEASURE)
    assert len({*learned, *measured}) == len(learned) + len(measured)


@pytest.fixture
def share(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where one photograph of each part would lie; nothing is wanted of Python packages."""
    monkeypatch.setattr(packages, "LEARN", {})
    monkeypatch.setattr(packages, "MEASURE", {})
    monkeypatch.setattr(packages, "SHARE_LEARN", ("doc/examples/road.jpg",))
    monkeypatch.setattr(packages, "SHARE_MEASURE", ("backgrounds/wood.jpg",))
    return tmp_path / "share"


def test_photographs_of_debian_packages_are_found(share: Path) -> None:
    for name in ("doc/examples/road.jpg", "backgrounds/wood.jpg"):
        (share / name).parent.mkdir(parents=True)
        (share / name).write_bytes(b"")
    assert packages.find_packaged(share) == {
        "learn": {"doc-examples-road.jpg": share / "doc/examples/road.jpg"},
        "photographs": {"backgrounds-wood.jpg": share / "backgrounds/wood.jpg"},
    }


def test_a_missing_one_says_what_to_install(share: Path) -> None:
    with pytest.raises(DataError, match=r"road.jpg; run 'apt-get install .*opencv-doc.*--share"):
        packages.find_packaged(share)
