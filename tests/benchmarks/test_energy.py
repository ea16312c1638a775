"""Energy, from planted sensors."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from benchmarks.energy import RAPL, SENSORS, open_meter


def test_a_machine_without_sensors(tmp_path: Path) -> None:
    assert open_meter(tmp_path) is None


def test_counters_of_all_packages_are_added_and_may_wrap(tmp_path: Path) -> None:
    zones = [tmp_path / RAPL / f"intel-rapl:{number}" for number in (0, 1)]
    part = tmp_path / RAPL / "intel-rapl:0:0"  # the cores of package 0, already in it
    for zone in (*zones, part):
        zone.mkdir(parents=True)
        (zone / "energy_uj").write_text("9000000\n")
        (zone / "max_energy_range_uj").write_text("9999999\n")
    meter = open_meter(tmp_path)
    assert meter is not None
    with meter:
        (zones[0] / "energy_uj").write_text("9500000\n")
        (zones[1] / "energy_uj").write_text("500000\n")
        (part / "energy_uj").write_text("9900000\n")
        assert meter.joules() == pytest.approx(0.5 + 1.5)
        assert meter.joules() == pytest.approx(2.0)


def test_the_sensor_of_a_jetson_is_read_over_time(tmp_path: Path) -> None:
    folder = tmp_path / SENSORS / "1-0040" / "hwmon" / "hwmon3"
    folder.mkdir(parents=True)
    for number, (label, volts, amperes) in enumerate(
        [("VDD_IN", 5000, 2000), ("VDD_CPU_GPU_CV", 5000, 9000)], 1
    ):
        (folder / f"in{number}_label").write_text(f"{label}\n")
        (folder / f"in{number}_input").write_text(f"{volts}\n")
        (folder / f"curr{number}_input").write_text(f"{amperes}\n")
    start = time.perf_counter()
    meter = open_meter(tmp_path)
    assert meter is not None
    with meter:
        while meter.joules() < 0.5:
            time.sleep(0.01)
    spent_s = time.perf_counter() - start
    assert meter.joules() <= 10 * spent_s  # 10 W of the input, not 45 W of the other rail
